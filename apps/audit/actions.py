"""What is written down: the words of the audit trail. A new one needs a line here and one in the docs."""

from enum import StrEnum


class Action(StrEnum):
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    ACCESS = "access"  # only its refusals: who may, does so too often to write down
    TOKEN_CREATE = "token.create"
    TOKEN_ROTATE = "token.rotate"
    TOKEN_REVOKE = "token.revoke"
    MEMBER_ADD = "member.add"
    MEMBER_CHANGE = "member.change"
    MEMBER_REMOVE = "member.remove"
    PERSON_CHANGE = "person.change"
    INVITATION_CREATE = "invitation.create"
    INVITATION_ACCEPT = "invitation.accept"
    INVITATION_REVOKE = "invitation.revoke"
    DEVICE_ADD = "device.add"
    DEVICE_REMOVE = "device.remove"
    TASK_CANCEL = "task.cancel"
    TASK_REQUEUE = "task.requeue"
    TASK_ANSWER = "task.answer"
    TASK_MESSAGE = "task.message"
    TASK_REPRIORITISE = "task.reprioritise"
    LIMIT_SET = "limit.set"
    QUEUE_PAUSE = "queue.pause"
    QUEUE_RESUME = "queue.resume"
    TREE_MERGE = "tree.merge"
    TREE_DISCARD = "tree.discard"
    CODEBASE_REGISTER = "codebase.register"  # by people; workers tell of their folders each time they start
    CODEBASE_CHANGE = "codebase.change"
    CODEBASE_REMOVE = "codebase.remove"
    WORKER_DRAIN = "worker.drain"
    REMOTE_AGENT_CHANGE = "remote_agent.change"
    PUSH_SET = "push.set"
    PUSH_REMOVE = "push.remove"
    PUSH_RETRY = "push.retry"
    SECRET_SET = "secret.set"
    SECRET_REMOVE = "secret.remove"
    ROW_CHANGE = "row.change"  # by hand, in the console
    EXPORT = "export"


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
