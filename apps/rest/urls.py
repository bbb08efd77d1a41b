"""Paths of the REST face (contract: codebases, tasks, workers, queue, tokens)."""

from django.urls import URLPattern, URLResolver, include, path

from apps.rest.views import agent, codebases, server, sessions, task_log, tasks, tokens
from apps.rest.views.documentation import Description, DescriptionPage

_opencode: list[URLPattern | URLResolver] = [
    path("tasks", tasks.Tasks.as_view()),
    path("tasks/stuck", server.StuckTasks.as_view()),
    path("tasks/stuck/recover", server.RecoverStuckTasks.as_view()),
    path("tasks/<str:task_id>", tasks.OneTask.as_view()),
    path("tasks/<str:task_id>/cancel", tasks.Cancel.as_view()),
    path("tasks/<str:task_id>/requeue", tasks.Requeue.as_view()),
    path("tasks/<str:task_id>/input", tasks.Input.as_view()),
    path("tasks/<str:task_id>/approve", tasks.Approve.as_view()),
    path("tasks/<str:task_id>/status", task_log.Status.as_view()),
    path("tasks/<str:task_id>/output", task_log.Output.as_view()),
    path("tasks/<str:task_id>/events", task_log.Events.as_view()),
    path("codebases", codebases.Codebases.as_view()),
    path("codebases/list", codebases.Codebases.as_view(http_method_names=["get", "head"])),
    path("codebases/<str:codebase_id>", codebases.OneCodebase.as_view()),
    path("codebases/<str:codebase_id>/trigger", agent.Trigger.as_view()),
    path("codebases/<str:codebase_id>/message", agent.Message.as_view()),
    path("codebases/<str:codebase_id>/interrupt", agent.Interrupt.as_view()),
    path("codebases/<str:codebase_id>/stop", agent.Stop.as_view()),
    path("codebases/<str:codebase_id>/status", agent.Status.as_view()),
    path("codebases/<str:codebase_id>/tasks", tasks.TasksOfCodebase.as_view()),
    path("codebases/<str:codebase_id>/sessions", sessions.Sessions.as_view()),
    path("codebases/<str:codebase_id>/sessions/sync", sessions.SyncSessions.as_view()),
    path("codebases/<str:codebase_id>/sessions/<str:session_id>", sessions.OneSession.as_view()),
    path("codebases/<str:codebase_id>/sessions/<str:session_id>/messages", sessions.Messages.as_view()),
    path("codebases/<str:codebase_id>/sessions/<str:session_id>/messages/sync", sessions.SyncMessages.as_view()),
    path("codebases/<str:codebase_id>/sessions/<str:session_id>/ingest", sessions.Ingest.as_view()),
    path("codebases/<str:codebase_id>/sessions/<str:session_id>/resume", sessions.Resume.as_view()),
    path("codebases/<str:codebase_id>/messages", sessions.MessagesOfCodebase.as_view()),
    path("workers", server.Workers.as_view()),
    path("workers/<str:worker_id>", server.OneWorker.as_view()),
    path("status", server.Status.as_view()),
    path("models", server.Models.as_view()),
    path("providers", server.Providers.as_view()),
    path("reaper/health", server.ReaperHealth.as_view()),
    path("database/status", server.DatabaseStatus.as_view()),
    path("database/codebases", server.StoredCodebases.as_view()),
    path("database/sessions", sessions.StoredSessions.as_view()),
    path("database/workers", server.StoredWorkers.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/opencode/", include(_opencode)),
    path("v1/agent/", include(_opencode)),
    path("v1/agents", server.Agents.as_view()),
    path("agents", server.Agents.as_view()),
    path("v1/queue/status", server.QueueStatus.as_view()),
    path("v1/queue/my", tasks.MyTasks.as_view()),
    path("v1/users/api-keys", tokens.Tokens.as_view()),
    path("v1/users/api-keys/<str:token_id>", tokens.OneToken.as_view()),
    path("v1/auth/me", tokens.Me.as_view()),
    path("v1/schema", Description.as_view(), name="schema"),
    path("v1/docs", DescriptionPage.as_view()),
]
