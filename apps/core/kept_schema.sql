-- What all migrations make of an empty database. Written by `make schema`, never by hand (apps/core/kept_schema.py).

SET LOCAL check_function_bodies = false;

CREATE FUNCTION public._pgh_attach_context() RETURNS uuid
    LANGUAGE plpgsql
    AS $$
                    DECLARE
                        _pgh_context_id UUID;
                        _pgh_context_metadata JSONB;
                    BEGIN
                        BEGIN
                            SELECT INTO _pgh_context_id
                                CURRENT_SETTING('pghistory.context_id');
                            SELECT INTO _pgh_context_metadata
                                CURRENT_SETTING('pghistory.context_metadata');
                            EXCEPTION WHEN OTHERS THEN
                        END;
                        IF _pgh_context_id IS NOT NULL AND _pgh_context_metadata IS NOT NULL THEN
                            INSERT INTO pghistory_context (id, metadata, created_at, updated_at)
                                VALUES (_pgh_context_id, _pgh_context_metadata, NOW(), NOW())
                                ON CONFLICT (id) DO UPDATE
                                    SET metadata = EXCLUDED.metadata,
                                        updated_at = EXCLUDED.updated_at
                                    WHERE pghistory_context.metadata != EXCLUDED.metadata;
                            RETURN _pgh_context_id;
                        ELSE
                            RETURN NULL;
                        END IF;
                    END;
                $$;

CREATE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
                DECLARE
                    _pgtrigger_ignore TEXT[];
                    _result BOOLEAN;
                BEGIN
                    BEGIN
                        SELECT INTO _pgtrigger_ignore
                            CURRENT_SETTING('pgtrigger.ignore');
                        EXCEPTION WHEN OTHERS THEN
                    END;
                    IF _pgtrigger_ignore IS NOT NULL THEN
                        SELECT trigger_name = ANY(_pgtrigger_ignore)
                        INTO _result;
                        RETURN _result;
                    ELSE
                        RETURN FALSE;
                    END IF;
                END;
            $$;

CREATE FUNCTION public.codetether_words_found(workspace uuid, codebase text, asked tsquery, most integer) RETURNS TABLE(session_id uuid, message_id uuid, rank real, created_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public'
    AS $_$
DECLARE
    acting text := coalesce(current_setting('codetether.workspaces', true), '');
BEGIN
    IF acting <> '*' AND NOT workspace::text = ANY (string_to_array(acting, ',')) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE $words$
        SELECT m.session_id, m.message_id, ts_rank(e.words, $3), m.created_at FROM (
            SELECT f.message_id, f.session_id, f.created_at FROM public.agent_sessions_searchentry f
            WHERE f.words @@ $3 AND f.workspace_id = $1 AND ($2 = '' OR f.session_id IN (
                SELECT s.id FROM public.agent_sessions_agentsession s WHERE s.codebase_id = $2))
            ORDER BY f.created_at DESC LIMIT $4
        ) m JOIN public.agent_sessions_searchentry e ON e.message_id = m.message_id
        UNION ALL (
            SELECT s.id, NULL::uuid,
                (2 * ts_rank(to_tsvector('english'::regconfig, COALESCE(s.title, '')), $3))::real, s.updated_at
            FROM public.agent_sessions_agentsession s
            WHERE to_tsvector('english'::regconfig, COALESCE(s.title, '')) @@ $3 AND s.workspace_id = $1
                AND ($2 = '' OR s.codebase_id = $2)
            ORDER BY s.updated_at DESC LIMIT $4
        )$words$ USING workspace, codebase, asked, most;
END $_$;

CREATE FUNCTION public.pgtrigger_delete_delete_044ad() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_workspacehistory" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug") VALUES (OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."slug"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_05fdd() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "tasks_queuelimithistory" ("changed_by", "id", "key", "kind", "most", "paused_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "workspace_id") VALUES (OLD."changed_by", OLD."id", OLD."key", OLD."kind", OLD."most", OLD."paused_at", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."reason", OLD."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_18966() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "a2a_face_pushconfighistory" ("config_id", "created_by", "given_up_at", "host", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme", "task_id", "version", "workspace_id") VALUES (OLD."config_id", OLD."created_by", OLD."given_up_at", OLD."host", OLD."id", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."scheme", OLD."task_id", OLD."version", OLD."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_19a8f() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_membershiphistory" ("id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "user_id", "workspace_id") VALUES (OLD."id", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."role", OLD."user_id", OLD."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_19f14() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_userhistory" ("email", "first_name", "id", "is_active", "is_staff", "is_superuser", "last_name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "username") VALUES (OLD."email", OLD."first_name", OLD."id", OLD."is_active", OLD."is_staff", OLD."is_superuser", OLD."last_name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."username"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_4f759() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "codebases_codebasehistory" ("agent_config", "description", "id", "name", "path", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "worker_id", "workspace_id") VALUES (OLD."agent_config", OLD."description", OLD."id", OLD."name", OLD."path", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."status", OLD."worker_id", OLD."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_6e065() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_apitokenhistory" ("codebases", "expires_at", "id", "made_by", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "role", "rotated_at", "scopes", "user_id", "workspace_id") VALUES (OLD."codebases", OLD."expires_at", OLD."id", OLD."made_by", OLD."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."revoked_at", OLD."role", OLD."rotated_at", OLD."scopes", OLD."user_id", OLD."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_72916() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "codebases_variablehistory" ("agent_types", "codebase_id", "description", "id", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "set_by", "updated_at", "workspace_id") VALUES (OLD."agent_types", OLD."codebase_id", OLD."description", OLD."id", OLD."kind", OLD."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."set_by", OLD."updated_at", OLD."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_delete_delete_b3a5b() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "federation_remoteagenthistory" ("auth", "auth_header", "binding", "card_url", "created_by", "enabled", "endpoint_url", "id", "jwks_url", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "protocol_version", "require_signature", "signature", "workspace_id") VALUES (OLD."auth", OLD."auth_header", OLD."binding", OLD."card_url", OLD."created_by", OLD."enabled", OLD."endpoint_url", OLD."id", OLD."jwks_url", OLD."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'delete', OLD."id", OLD."protocol_version", OLD."require_signature", OLD."signature", OLD."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_01b7d() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_apitokenhistory" ("codebases", "expires_at", "id", "made_by", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "role", "rotated_at", "scopes", "user_id", "workspace_id") VALUES (NEW."codebases", NEW."expires_at", NEW."id", NEW."made_by", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."revoked_at", NEW."role", NEW."rotated_at", NEW."scopes", NEW."user_id", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_096e7() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_workspacehistory" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug") VALUES (NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."slug"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_1cb71() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "tasks_queuelimithistory" ("changed_by", "id", "key", "kind", "most", "paused_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "workspace_id") VALUES (NEW."changed_by", NEW."id", NEW."key", NEW."kind", NEW."most", NEW."paused_at", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."reason", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_339d5() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "a2a_face_pushconfighistory" ("config_id", "created_by", "given_up_at", "host", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme", "task_id", "version", "workspace_id") VALUES (NEW."config_id", NEW."created_by", NEW."given_up_at", NEW."host", NEW."id", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."scheme", NEW."task_id", NEW."version", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_3867c() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_userhistory" ("email", "first_name", "id", "is_active", "is_staff", "is_superuser", "last_name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "username") VALUES (NEW."email", NEW."first_name", NEW."id", NEW."is_active", NEW."is_staff", NEW."is_superuser", NEW."last_name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."username"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_49740() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "codebases_variablehistory" ("agent_types", "codebase_id", "description", "id", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "set_by", "updated_at", "workspace_id") VALUES (NEW."agent_types", NEW."codebase_id", NEW."description", NEW."id", NEW."kind", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."set_by", NEW."updated_at", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_5694f() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "federation_remoteagenthistory" ("auth", "auth_header", "binding", "card_url", "created_by", "enabled", "endpoint_url", "id", "jwks_url", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "protocol_version", "require_signature", "signature", "workspace_id") VALUES (NEW."auth", NEW."auth_header", NEW."binding", NEW."card_url", NEW."created_by", NEW."enabled", NEW."endpoint_url", NEW."id", NEW."jwks_url", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."protocol_version", NEW."require_signature", NEW."signature", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_dd132() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "codebases_codebasehistory" ("agent_config", "description", "id", "name", "path", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "worker_id", "workspace_id") VALUES (NEW."agent_config", NEW."description", NEW."id", NEW."name", NEW."path", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."status", NEW."worker_id", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_insert_insert_fc05a() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_membershiphistory" ("id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "user_id", "workspace_id") VALUES (NEW."id", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'insert', NEW."id", NEW."role", NEW."user_id", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_0a187() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "codebases_codebasehistory" ("agent_config", "description", "id", "name", "path", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "worker_id", "workspace_id") VALUES (NEW."agent_config", NEW."description", NEW."id", NEW."name", NEW."path", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."status", NEW."worker_id", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_0e890() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_userhistory" ("email", "first_name", "id", "is_active", "is_staff", "is_superuser", "last_name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "username") VALUES (NEW."email", NEW."first_name", NEW."id", NEW."is_active", NEW."is_staff", NEW."is_superuser", NEW."last_name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."username"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_20ab5() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_membershiphistory" ("id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "user_id", "workspace_id") VALUES (NEW."id", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."role", NEW."user_id", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_24018() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_workspacehistory" ("id", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "slug") VALUES (NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."slug"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_41519() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "tasks_queuelimithistory" ("changed_by", "id", "key", "kind", "most", "paused_at", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "workspace_id") VALUES (NEW."changed_by", NEW."id", NEW."key", NEW."kind", NEW."most", NEW."paused_at", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."reason", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_6b0d8() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "federation_remoteagenthistory" ("auth", "auth_header", "binding", "card_url", "created_by", "enabled", "endpoint_url", "id", "jwks_url", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "protocol_version", "require_signature", "signature", "workspace_id") VALUES (NEW."auth", NEW."auth_header", NEW."binding", NEW."card_url", NEW."created_by", NEW."enabled", NEW."endpoint_url", NEW."id", NEW."jwks_url", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."protocol_version", NEW."require_signature", NEW."signature", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_87c89() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "a2a_face_pushconfighistory" ("config_id", "created_by", "given_up_at", "host", "id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "scheme", "task_id", "version", "workspace_id") VALUES (NEW."config_id", NEW."created_by", NEW."given_up_at", NEW."host", NEW."id", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."scheme", NEW."task_id", NEW."version", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_df53b() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "accounts_apitokenhistory" ("codebases", "expires_at", "id", "made_by", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "role", "rotated_at", "scopes", "user_id", "workspace_id") VALUES (NEW."codebases", NEW."expires_at", NEW."id", NEW."made_by", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."revoked_at", NEW."role", NEW."rotated_at", NEW."scopes", NEW."user_id", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE FUNCTION public.pgtrigger_update_update_e1a13() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
                
                BEGIN
                    IF ("public"._pgtrigger_should_ignore(TG_NAME) IS TRUE) THEN
                        IF (TG_OP = 'DELETE') THEN
                            RETURN OLD;
                        ELSE
                            RETURN NEW;
                        END IF;
                    END IF;
                    INSERT INTO "codebases_variablehistory" ("agent_types", "codebase_id", "description", "id", "kind", "name", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "set_by", "updated_at", "workspace_id") VALUES (NEW."agent_types", NEW."codebase_id", NEW."description", NEW."id", NEW."kind", NEW."name", COALESCE(NULLIF(CURRENT_SETTING('pghistory.context_metadata', TRUE), ''), NULL)::JSONB, NOW(), 'update', NEW."id", NEW."set_by", NEW."updated_at", NEW."workspace_id"); RETURN NULL;
                END;
            $$;

CREATE TABLE public.a2a_face_pushconfig (
    id uuid NOT NULL,
    config_id text NOT NULL,
    url text NOT NULL,
    host text NOT NULL,
    token text NOT NULL,
    scheme text NOT NULL,
    credentials text NOT NULL,
    version text NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    created_by text NOT NULL,
    sent_seq bigint NOT NULL,
    due_at timestamp with time zone,
    taken_until timestamp with time zone,
    attempts integer NOT NULL,
    failing_since timestamp with time zone,
    last_error text NOT NULL,
    last_sent_at timestamp with time zone,
    given_up_at timestamp with time zone,
    task_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT push_config_counts CHECK (((attempts >= 0) AND (sent_seq >= 0))),
    CONSTRAINT push_config_version_known CHECK ((version = ANY (ARRAY['0.3'::text, '1.0'::text])))
);

CREATE TABLE public.a2a_face_pushconfighistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id uuid NOT NULL,
    config_id text NOT NULL,
    host text NOT NULL,
    scheme text NOT NULL,
    version text NOT NULL,
    created_by text NOT NULL,
    given_up_at timestamp with time zone,
    pgh_obj_id uuid NOT NULL,
    task_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.a2a_face_pushconfighistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.a2a_face_pushconfighistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.a2a_face_pushtotal (
    id bigint NOT NULL,
    outcome text NOT NULL,
    number bigint NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.a2a_face_pushtotal ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.a2a_face_pushtotal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_apitoken (
    id uuid NOT NULL,
    name character varying(200) NOT NULL,
    role character varying(16) NOT NULL,
    scopes jsonb NOT NULL,
    hint character varying(12) NOT NULL,
    digest character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    user_id uuid,
    workspace_id uuid NOT NULL,
    codebases text[] DEFAULT '{}'::text[] NOT NULL,
    made_by character varying(200) DEFAULT ''::character varying NOT NULL,
    previous_digest character varying(64),
    previous_until timestamp with time zone,
    rotated_at timestamp with time zone
);

CREATE TABLE public.accounts_apitokenhistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id uuid NOT NULL,
    name character varying(200) NOT NULL,
    role character varying(16) NOT NULL,
    scopes jsonb NOT NULL,
    codebases text[] DEFAULT '{}'::text[] NOT NULL,
    made_by character varying(200) DEFAULT ''::character varying NOT NULL,
    rotated_at timestamp with time zone,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    pgh_obj_id uuid NOT NULL,
    user_id uuid,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.accounts_apitokenhistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_apitokenhistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_idempotentresponse (
    id bigint NOT NULL,
    key character varying(255) NOT NULL,
    request_digest character varying(64) NOT NULL,
    status smallint,
    body jsonb,
    created_at timestamp with time zone NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT accounts_idempotentresponse_status_check CHECK ((status >= 0))
);

ALTER TABLE public.accounts_idempotentresponse ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_idempotentresponse_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_invitation (
    id uuid NOT NULL,
    role character varying(16) NOT NULL,
    email character varying(254) NOT NULL,
    digest character varying(64) NOT NULL,
    made_by character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    accepted_at timestamp with time zone,
    accepted_by_id uuid,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.accounts_loginsession (
    id uuid NOT NULL,
    sid character varying(255) NOT NULL,
    kind character varying(8) NOT NULL,
    session_key character varying(40),
    access_digest character varying(64),
    access_expires_at timestamp with time zone,
    refresh_digest character varying(64),
    refresh_expires_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    password_mark character varying(64) NOT NULL,
    client character varying(200) NOT NULL,
    address character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    ended_at timestamp with time zone,
    end_reason character varying(40) NOT NULL,
    user_id uuid NOT NULL,
    workspace_id uuid,
    identity_id uuid
);

CREATE TABLE public.accounts_membership (
    id bigint NOT NULL,
    role character varying(16) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    user_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.accounts_membership ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_membership_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_membershiphistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id bigint NOT NULL,
    role character varying(16) NOT NULL,
    pgh_obj_id bigint NOT NULL,
    user_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.accounts_membershiphistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_membershiphistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_oidcidentity (
    id uuid NOT NULL,
    issuer character varying(500) NOT NULL,
    subject character varying(255) NOT NULL,
    gave_staff boolean NOT NULL,
    gave_superuser boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    signed_in_at timestamp with time zone,
    user_id uuid NOT NULL,
    heard_at timestamp with time zone
);

CREATE TABLE public.accounts_oidclogout (
    id bigint NOT NULL,
    issuer character varying(500) NOT NULL,
    jti character varying(255) NOT NULL,
    subject character varying(255) NOT NULL,
    sid character varying(255) NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE public.accounts_oidclogout ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_oidclogout_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_oidcmembership (
    membership_id bigint NOT NULL,
    identity_id uuid NOT NULL
);

CREATE TABLE public.accounts_savedlink (
    id uuid NOT NULL,
    name character varying(60) NOT NULL,
    path character varying(2000) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    user_id uuid NOT NULL
);

CREATE TABLE public.accounts_spentrefresh (
    digest character varying(64) NOT NULL,
    login_id uuid NOT NULL
);

CREATE TABLE public.accounts_user (
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    is_superuser boolean NOT NULL,
    username character varying(150) NOT NULL,
    first_name character varying(150) NOT NULL,
    last_name character varying(150) NOT NULL,
    email character varying(254) NOT NULL,
    is_staff boolean NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamp with time zone NOT NULL,
    id uuid NOT NULL
);

CREATE TABLE public.accounts_user_groups (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    group_id integer NOT NULL
);

ALTER TABLE public.accounts_user_groups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_user_groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_user_user_permissions (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    permission_id integer NOT NULL
);

ALTER TABLE public.accounts_user_user_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_user_user_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_userhistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id uuid NOT NULL,
    username character varying(150) NOT NULL,
    email character varying(254) NOT NULL,
    first_name character varying(150) NOT NULL,
    last_name character varying(150) NOT NULL,
    is_active boolean NOT NULL,
    is_staff boolean NOT NULL,
    is_superuser boolean NOT NULL,
    pgh_obj_id uuid NOT NULL
);

ALTER TABLE public.accounts_userhistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_userhistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts_workspace (
    id uuid NOT NULL,
    slug character varying(50) NOT NULL,
    name character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.accounts_workspacehistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id uuid NOT NULL,
    slug character varying(50) NOT NULL,
    name character varying(200) NOT NULL,
    pgh_obj_id uuid NOT NULL
);

ALTER TABLE public.accounts_workspacehistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_workspacehistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.agent_sessions_agentsession (
    id uuid NOT NULL,
    session_id text NOT NULL,
    parent_id text NOT NULL,
    title text NOT NULL,
    source text NOT NULL,
    agent text NOT NULL,
    model text NOT NULL,
    directory text NOT NULL,
    worker_id text NOT NULL,
    message_count integer NOT NULL,
    usage jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    synced_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    codebase_id character varying(128) NOT NULL,
    workspace_id uuid NOT NULL,
    forked_from text DEFAULT ''::text NOT NULL,
    unsearched boolean DEFAULT true NOT NULL,
    CONSTRAINT agent_sessions_agentsession_message_count_check CHECK ((message_count >= 0))
);

CREATE TABLE public.agent_sessions_searchentry (
    message_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    digest text NOT NULL,
    words tsvector NOT NULL,
    session_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.agent_sessions_sessionmessage (
    id uuid NOT NULL,
    message_id text NOT NULL,
    role text NOT NULL,
    model text NOT NULL,
    text text NOT NULL,
    usage jsonb NOT NULL,
    data jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    session_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    digest text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.agent_sessions_sessionpart (
    id uuid NOT NULL,
    part_id text NOT NULL,
    index integer NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL,
    message_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT agent_sessions_sessionpart_index_check CHECK ((index >= 0))
);

CREATE TABLE public.audit_auditcheck (
    workspace_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    entries bigint NOT NULL,
    fault character varying(255) NOT NULL,
    CONSTRAINT audit_auditcheck_entries_check CHECK ((entries >= 0))
);

CREATE TABLE public.audit_auditentry (
    id bigint NOT NULL,
    workspace_id uuid NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    action character varying(40) NOT NULL,
    outcome character varying(8) NOT NULL,
    actor character varying(255) NOT NULL,
    target character varying(255) NOT NULL,
    address character varying(64) NOT NULL,
    request_id character varying(64) NOT NULL,
    details jsonb NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_auditentry_seq_check CHECK ((seq >= 0))
);

ALTER TABLE public.audit_auditentry ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audit_auditentry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_audithead (
    workspace_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_audithead_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);

ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);

ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);

ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.codebases_activecodebase (
    id bigint NOT NULL,
    caller character varying(300) NOT NULL,
    set_at timestamp with time zone NOT NULL,
    codebase_id character varying(128) NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.codebases_activecodebase ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.codebases_activecodebase_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.codebases_codebase (
    id character varying(128) NOT NULL,
    name character varying(200) NOT NULL,
    path character varying(4096) NOT NULL,
    description text NOT NULL,
    agent_config jsonb NOT NULL,
    worker_id character varying(200) NOT NULL,
    status character varying(16) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.codebases_codebasehistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id character varying(128) NOT NULL,
    name character varying(200) NOT NULL,
    path character varying(4096) NOT NULL,
    description text NOT NULL,
    agent_config jsonb NOT NULL,
    worker_id character varying(200) NOT NULL,
    status character varying(16) NOT NULL,
    pgh_obj_id character varying(128) NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.codebases_codebasehistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.codebases_codebasehistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.codebases_variable (
    id uuid NOT NULL,
    name character varying(128) NOT NULL,
    kind character varying(16) NOT NULL,
    value text NOT NULL,
    sealed_value text NOT NULL,
    description character varying(500) NOT NULL,
    agent_types text[] NOT NULL,
    set_by character varying(255) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    codebase_id character varying(128),
    workspace_id uuid NOT NULL,
    CONSTRAINT variable_secret_is_sealed CHECK (((((kind)::text = 'variable'::text) AND (sealed_value = ''::text)) OR (((kind)::text = 'secret'::text) AND (value = ''::text) AND (NOT (sealed_value = ''::text)))))
);

CREATE TABLE public.codebases_variablehistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id uuid NOT NULL,
    name character varying(128) NOT NULL,
    kind character varying(16) NOT NULL,
    description character varying(500) NOT NULL,
    agent_types text[] NOT NULL,
    set_by character varying(255) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    codebase_id character varying(128),
    pgh_obj_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.codebases_variablehistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.codebases_variablehistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_admin_log (
    id integer NOT NULL,
    action_time timestamp with time zone NOT NULL,
    object_id text,
    object_repr character varying(200) NOT NULL,
    action_flag smallint NOT NULL,
    change_message text NOT NULL,
    content_type_id integer,
    user_id uuid NOT NULL,
    CONSTRAINT django_admin_log_action_flag_check CHECK ((action_flag >= 0))
);

ALTER TABLE public.django_admin_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_admin_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_celery_beat_clockedschedule (
    id integer NOT NULL,
    clocked_time timestamp with time zone NOT NULL
);

ALTER TABLE public.django_celery_beat_clockedschedule ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_celery_beat_clockedschedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_celery_beat_crontabschedule (
    id integer NOT NULL,
    minute character varying(240) NOT NULL,
    hour character varying(96) NOT NULL,
    day_of_week character varying(64) NOT NULL,
    day_of_month character varying(124) NOT NULL,
    month_of_year character varying(64) NOT NULL,
    timezone character varying(63) NOT NULL
);

ALTER TABLE public.django_celery_beat_crontabschedule ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_celery_beat_crontabschedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_celery_beat_intervalschedule (
    id integer NOT NULL,
    every integer NOT NULL,
    period character varying(24) NOT NULL
);

ALTER TABLE public.django_celery_beat_intervalschedule ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_celery_beat_intervalschedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_celery_beat_periodictask (
    id integer NOT NULL,
    name character varying(200) NOT NULL,
    task character varying(200) NOT NULL,
    args text NOT NULL,
    kwargs text NOT NULL,
    queue character varying(200),
    exchange character varying(200),
    routing_key character varying(200),
    expires timestamp with time zone,
    enabled boolean NOT NULL,
    last_run_at timestamp with time zone,
    total_run_count integer NOT NULL,
    date_changed timestamp with time zone NOT NULL,
    description text NOT NULL,
    crontab_id integer,
    interval_id integer,
    solar_id integer,
    one_off boolean NOT NULL,
    start_time timestamp with time zone,
    priority integer,
    headers text NOT NULL,
    clocked_id integer,
    expire_seconds integer,
    CONSTRAINT django_celery_beat_periodictask_expire_seconds_check CHECK ((expire_seconds >= 0)),
    CONSTRAINT django_celery_beat_periodictask_priority_check CHECK ((priority >= 0)),
    CONSTRAINT django_celery_beat_periodictask_total_run_count_check CHECK ((total_run_count >= 0))
);

ALTER TABLE public.django_celery_beat_periodictask ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_celery_beat_periodictask_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_celery_beat_periodictasks (
    ident smallint NOT NULL,
    last_update timestamp with time zone NOT NULL
);

CREATE TABLE public.django_celery_beat_solarschedule (
    id integer NOT NULL,
    event character varying(24) NOT NULL,
    latitude numeric(9,6) NOT NULL,
    longitude numeric(9,6) NOT NULL
);

ALTER TABLE public.django_celery_beat_solarschedule ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_celery_beat_solarschedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);

ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);

CREATE TABLE public.federation_remoteagent (
    id uuid NOT NULL,
    name character varying(128) NOT NULL,
    card_url character varying(2048) NOT NULL,
    card jsonb NOT NULL,
    card_etag character varying(200) NOT NULL,
    fetched_at timestamp with time zone,
    endpoint_url character varying(2048) NOT NULL,
    binding character varying(20) NOT NULL,
    protocol_version character varying(20) NOT NULL,
    signature character varying(20) NOT NULL,
    require_signature boolean NOT NULL,
    jwks_url character varying(2048) NOT NULL,
    auth character varying(20) NOT NULL,
    auth_header character varying(100) NOT NULL,
    sealed_secret text NOT NULL,
    message_metadata jsonb NOT NULL,
    enabled boolean NOT NULL,
    last_error text NOT NULL,
    last_used_at timestamp with time zone,
    created_by character varying(200) NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.federation_remoteagenthistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id uuid NOT NULL,
    name character varying(128) NOT NULL,
    card_url character varying(2048) NOT NULL,
    endpoint_url character varying(2048) NOT NULL,
    binding character varying(20) NOT NULL,
    protocol_version character varying(20) NOT NULL,
    signature character varying(20) NOT NULL,
    require_signature boolean NOT NULL,
    jwks_url character varying(2048) NOT NULL,
    auth character varying(20) NOT NULL,
    auth_header character varying(100) NOT NULL,
    enabled boolean NOT NULL,
    created_by character varying(200) NOT NULL,
    pgh_obj_id uuid NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.federation_remoteagenthistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.federation_remoteagenthistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.federation_remotetask (
    task_id uuid NOT NULL,
    agent_name character varying(128) NOT NULL,
    context_id text NOT NULL,
    sent_context_id text NOT NULL,
    sent_references jsonb NOT NULL,
    remote_task_id text NOT NULL,
    remote_context_id text NOT NULL,
    is_open boolean NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    workspace_id uuid NOT NULL
);

CREATE TABLE public.files_filechunk (
    id bigint NOT NULL,
    number integer NOT NULL,
    content bytea NOT NULL,
    file_id uuid NOT NULL,
    CONSTRAINT files_filechunk_number_check CHECK ((number >= 0))
);

ALTER TABLE public.files_filechunk ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.files_filechunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.files_storedfile (
    id uuid NOT NULL,
    task_id uuid,
    name character varying(255) NOT NULL,
    media_type character varying(127) NOT NULL,
    size bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    origin character varying(16) NOT NULL,
    created_by character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    storage_key character varying(100) NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT files_storedfile_size_check CHECK ((size >= 0))
);

CREATE TABLE public.notifications_notice (
    id bigint NOT NULL,
    seq bigint NOT NULL,
    event text NOT NULL,
    since timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    due_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    taken_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    task_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    CONSTRAINT notice_attempts_counted CHECK ((attempts >= 0))
);

ALTER TABLE public.notifications_notice ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.notifications_notice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.notifications_pushsubscription (
    id uuid NOT NULL,
    endpoint text NOT NULL,
    host text NOT NULL,
    p256dh text NOT NULL,
    auth text NOT NULL,
    name text NOT NULL,
    kinds text[] NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    last_sent_at timestamp with time zone,
    failing_since timestamp with time zone,
    last_error text NOT NULL,
    user_id uuid NOT NULL
);

CREATE TABLE public.pghistory_context (
    id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    metadata jsonb NOT NULL
);

CREATE TABLE public.tasks_endedtotal (
    id bigint NOT NULL,
    state text NOT NULL,
    number bigint NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.tasks_endedtotal ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tasks_endedtotal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tasks_lastsweep (
    id smallint NOT NULL,
    ended_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    seconds double precision NOT NULL,
    moved jsonb NOT NULL,
    CONSTRAINT last_sweep_is_one CHECK ((id = 1))
);

CREATE TABLE public.tasks_outboxentry (
    id bigint NOT NULL,
    workspace_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    task_id uuid NOT NULL
);

ALTER TABLE public.tasks_outboxentry ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tasks_outboxentry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tasks_queuelimit (
    id bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    most integer,
    held integer NOT NULL,
    paused_at timestamp with time zone,
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT queue_limit_held_not_negative CHECK ((held >= 0)),
    CONSTRAINT queue_limit_lets_some_pass CHECK (((most IS NULL) OR (most >= 1))),
    CONSTRAINT tasks_queuelimit_most_check CHECK ((most >= 0))
);

ALTER TABLE public.tasks_queuelimit ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tasks_queuelimit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tasks_queuelimithistory (
    pgh_id integer NOT NULL,
    pgh_created_at timestamp with time zone NOT NULL,
    pgh_label text NOT NULL,
    pgh_context jsonb,
    id bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    most integer,
    paused_at timestamp with time zone,
    reason text NOT NULL,
    changed_by text NOT NULL,
    pgh_obj_id bigint NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT tasks_queuelimithistory_most_check CHECK ((most >= 0))
);

ALTER TABLE public.tasks_queuelimithistory ALTER COLUMN pgh_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tasks_queuelimithistory_pgh_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tasks_sweeptotal (
    id bigint NOT NULL,
    outcome text NOT NULL,
    number bigint NOT NULL,
    workspace_id uuid NOT NULL
);

ALTER TABLE public.tasks_sweeptotal ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tasks_sweeptotal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tasks_task (
    id uuid NOT NULL,
    queue text NOT NULL,
    title text NOT NULL,
    prompt text NOT NULL,
    agent_type text NOT NULL,
    model text NOT NULL,
    priority integer NOT NULL,
    rank double precision NOT NULL,
    requires text[] NOT NULL,
    target_agent text NOT NULL,
    metadata jsonb NOT NULL,
    created_by text NOT NULL,
    idempotency_key text,
    context_id text NOT NULL,
    session_id text NOT NULL,
    state text NOT NULL,
    last_seq bigint NOT NULL,
    last_steering_seq bigint NOT NULL,
    heard_seq bigint NOT NULL,
    "position" bigint NOT NULL,
    attempt integer NOT NULL,
    max_attempts integer NOT NULL,
    declined_by text[] NOT NULL,
    worker_id text NOT NULL,
    claim_token uuid,
    claim_seq bigint NOT NULL,
    client_seq bigint NOT NULL,
    lease_expires_at timestamp with time zone,
    result text NOT NULL,
    error text NOT NULL,
    error_code text NOT NULL,
    usage jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    available_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    deadline_at timestamp with time zone,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    codebase_id character varying(128),
    workspace_id uuid NOT NULL,
    concurrency_key text NOT NULL,
    limit_ids bigint[] NOT NULL,
    compacted_at timestamp with time zone,
    moved_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT task_attempts_bounded CHECK (((attempt >= 0) AND (attempt <= max_attempts))),
    CONSTRAINT task_completed_at_iff_terminal CHECK ((((completed_at IS NOT NULL) AND (state = ANY (ARRAY['cancelled'::text, 'completed'::text, 'failed'::text, 'rejected'::text]))) OR ((completed_at IS NULL) AND (NOT (state = ANY (ARRAY['cancelled'::text, 'completed'::text, 'failed'::text, 'rejected'::text])))))),
    CONSTRAINT task_lease_only_when_held CHECK (((lease_expires_at IS NULL) OR (state = ANY (ARRAY['auth_required'::text, 'input_required'::text, 'running'::text])))),
    CONSTRAINT task_pending_is_free CHECK (((NOT (state = 'pending'::text)) OR (claim_token IS NULL))),
    CONSTRAINT task_priority_bounded CHECK (((priority >= '-1000'::integer) AND (priority <= 1000))),
    CONSTRAINT task_running_is_held CHECK (((NOT (state = 'running'::text)) OR ((claim_token IS NOT NULL) AND (lease_expires_at IS NOT NULL) AND (NOT (worker_id = ''::text))))),
    CONSTRAINT task_state_known CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'input_required'::text, 'auth_required'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'rejected'::text])))
);

CREATE TABLE public.tasks_taskevent (
    seq bigint NOT NULL,
    workspace_id uuid NOT NULL,
    "position" bigint NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    task_id uuid NOT NULL
);

CREATE TABLE public.tasks_workingtree (
    id bigint NOT NULL,
    worker_id text NOT NULL,
    tree_id text NOT NULL,
    codebase_id text NOT NULL,
    task_ids uuid[] NOT NULL,
    branch text NOT NULL,
    base text NOT NULL,
    base_branch text NOT NULL,
    head text NOT NULL,
    state text NOT NULL,
    dirty boolean NOT NULL,
    "left" text[] NOT NULL,
    files integer NOT NULL,
    insertions bigint NOT NULL,
    deletions bigint NOT NULL,
    merged_into text NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    workspace_id uuid NOT NULL,
    CONSTRAINT tasks_workingtree_deletions_check CHECK ((deletions >= 0)),
    CONSTRAINT tasks_workingtree_files_check CHECK ((files >= 0)),
    CONSTRAINT tasks_workingtree_insertions_check CHECK ((insertions >= 0)),
    CONSTRAINT working_tree_state_known CHECK ((state = ANY (ARRAY['active'::text, 'kept'::text, 'merged'::text, 'discarded'::text, 'empty'::text, 'lost'::text])))
);

ALTER TABLE public.tasks_workingtree ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.tasks_workingtree_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.workers_worker (
    id uuid NOT NULL,
    worker_id character varying(200) NOT NULL,
    name character varying(200) NOT NULL,
    hostname character varying(255) NOT NULL,
    version character varying(64) NOT NULL,
    capabilities text[] NOT NULL,
    offered_models jsonb NOT NULL,
    agents jsonb NOT NULL,
    codebases text[] NOT NULL,
    global_codebase_id text NOT NULL,
    concurrency integer,
    draining boolean NOT NULL,
    registered_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    unregistered_at timestamp with time zone,
    workspace_id uuid NOT NULL,
    only_targeted boolean DEFAULT false NOT NULL,
    serves text[],
    programs jsonb DEFAULT '[]'::jsonb NOT NULL,
    stopping boolean DEFAULT false NOT NULL,
    token_id uuid,
    CONSTRAINT workers_worker_concurrency_check CHECK ((concurrency >= 0))
);

INSERT INTO public.accounts_workspace (id, slug, name, created_at) VALUES (gen_random_uuid(), 'default', 'Default', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('a2a_face', '0001_push_notifications', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('a2a_face', '0002_sealed_push_secrets', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('a2a_face', '0003_row_history', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('a2a_face', '0004_failing_are_counted', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('a2a_face', '0005_receivers', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0002_default_workspace', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0003_token_rotation_and_codebases', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0004_oidc_sign_on', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0005_invitations', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0006_oidc_heard_at', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0007_row_history', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0008_history_of_people_and_workspaces', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('accounts', '0009_saved_links', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('admin', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('admin', '0002_logentry_remove_auto_add', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('admin', '0003_logentry_add_action_flag_choices', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('agent_sessions', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('agent_sessions', '0002_forks', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('agent_sessions', '0003_messages_know_their_digest', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('agent_sessions', '0004_search', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('agent_sessions', '0005_sessions_are_listed', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('audit', '0001_audit_trail', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('audit', '0002_words_need_no_migration', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('audit', '0003_found_at_any_length', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('audit', '0004_last_check', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0002_alter_permission_name_max_length', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0003_alter_user_email_max_length', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0004_alter_user_username_opts', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0005_alter_user_last_login_null', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0006_require_contenttypes_0002', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0007_alter_validators_add_error_messages', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0008_alter_user_username_max_length', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0009_alter_user_last_name_max_length', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0010_alter_group_name_max_length', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0011_update_proxy_permissions', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('auth', '0012_alter_user_first_name_max_length', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('codebases', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('codebases', '0002_row_history', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('codebases', '0003_variables', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('codebases', '0004_history_of_variables', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('codebases', '0005_active_codebase', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('contenttypes', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('contenttypes', '0002_remove_content_type_name', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0002_auto_20161118_0346', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0003_auto_20161209_0049', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0004_auto_20170221_0000', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0005_add_solarschedule_events_choices', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0006_auto_20180210_1226', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0006_auto_20180322_0932', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0006_periodictask_priority', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0007_auto_20180521_0826', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0008_auto_20180914_1922', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0009_periodictask_headers', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0010_auto_20190429_0326', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0011_auto_20190508_0153', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0012_periodictask_expire_seconds', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0013_auto_20200609_0727', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0014_remove_clockedschedule_enabled', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0015_edit_solarschedule_events_choices', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0016_alter_crontabschedule_timezone', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0017_alter_crontabschedule_month_of_year', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0018_improve_crontab_helptext', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('django_celery_beat', '0019_alter_periodictasks_options', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('federation', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('federation', '0002_sealed_fields', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('federation', '0003_row_history', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('files', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('notifications', '0001_devices_and_notices', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('pghistory', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('pghistory', '0002_aggregateevent', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('pghistory', '0003_auto_20201023_1636', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('pghistory', '0004_auto_20220906_1625', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('pghistory', '0005_events_middlewareevents', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('pghistory', '0006_delete_aggregateevent', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('pghistory', '0007_auto_20250421_0444', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('sessions', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0002_limits_and_light_references', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0003_old_logs_and_last_sweep', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0004_waiting_tasks_have_their_own_index', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0005_outbox_without_a_second_index', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0006_when_it_came_to_its_state', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0007_no_index_twice', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0008_working_trees', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0009_ended_tasks_are_counted', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0009_history_of_limits', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0010_tasks_are_found_by_their_session', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0011_makers_and_workers_are_found', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('tasks', '0012_runs_are_found', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('workers', '0001_initial', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('workers', '0002_concurrency_may_be_unknown', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('workers', '0003_only_targeted', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('workers', '0004_serves', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('workers', '0005_agent_programs', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('workers', '0006_stopping', statement_timestamp());
INSERT INTO public.django_migrations (app, name, applied) VALUES ('workers', '0007_worker_token', statement_timestamp());

ALTER TABLE ONLY public.a2a_face_pushconfig
    ADD CONSTRAINT a2a_face_pushconfig_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.a2a_face_pushconfighistory
    ADD CONSTRAINT a2a_face_pushconfighistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.a2a_face_pushtotal
    ADD CONSTRAINT a2a_face_pushtotal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_apitoken
    ADD CONSTRAINT accounts_apitoken_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.accounts_apitoken
    ADD CONSTRAINT accounts_apitoken_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_apitoken
    ADD CONSTRAINT accounts_apitoken_previous_digest_key UNIQUE (previous_digest);

ALTER TABLE ONLY public.accounts_apitokenhistory
    ADD CONSTRAINT accounts_apitokenhistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.accounts_idempotentresponse
    ADD CONSTRAINT accounts_idempotentresponse_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_invitation
    ADD CONSTRAINT accounts_invitation_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.accounts_invitation
    ADD CONSTRAINT accounts_invitation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_loginsession
    ADD CONSTRAINT accounts_loginsession_access_digest_key UNIQUE (access_digest);

ALTER TABLE ONLY public.accounts_loginsession
    ADD CONSTRAINT accounts_loginsession_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_loginsession
    ADD CONSTRAINT accounts_loginsession_refresh_digest_key UNIQUE (refresh_digest);

ALTER TABLE ONLY public.accounts_loginsession
    ADD CONSTRAINT accounts_loginsession_session_key_key UNIQUE (session_key);

ALTER TABLE ONLY public.accounts_membership
    ADD CONSTRAINT accounts_membership_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_membershiphistory
    ADD CONSTRAINT accounts_membershiphistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.accounts_oidcidentity
    ADD CONSTRAINT accounts_oidcidentity_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_oidclogout
    ADD CONSTRAINT accounts_oidclogout_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_oidcmembership
    ADD CONSTRAINT accounts_oidcmembership_pkey PRIMARY KEY (membership_id);

ALTER TABLE ONLY public.accounts_savedlink
    ADD CONSTRAINT accounts_savedlink_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_spentrefresh
    ADD CONSTRAINT accounts_spentrefresh_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.accounts_user_groups
    ADD CONSTRAINT accounts_user_groups_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_user_groups
    ADD CONSTRAINT accounts_user_groups_user_id_group_id_59c0b32f_uniq UNIQUE (user_id, group_id);

ALTER TABLE ONLY public.accounts_user
    ADD CONSTRAINT accounts_user_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_user_user_permissions
    ADD CONSTRAINT accounts_user_user_permi_user_id_permission_id_2ab516c2_uniq UNIQUE (user_id, permission_id);

ALTER TABLE ONLY public.accounts_user_user_permissions
    ADD CONSTRAINT accounts_user_user_permissions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_user
    ADD CONSTRAINT accounts_user_username_key UNIQUE (username);

ALTER TABLE ONLY public.accounts_userhistory
    ADD CONSTRAINT accounts_userhistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.accounts_workspace
    ADD CONSTRAINT accounts_workspace_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_workspace
    ADD CONSTRAINT accounts_workspace_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.accounts_workspacehistory
    ADD CONSTRAINT accounts_workspacehistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.codebases_activecodebase
    ADD CONSTRAINT active_codebase_once_per_caller UNIQUE (workspace_id, caller);

ALTER TABLE ONLY public.agent_sessions_agentsession
    ADD CONSTRAINT agent_sessions_agentsession_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent_sessions_searchentry
    ADD CONSTRAINT agent_sessions_searchentry_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.agent_sessions_sessionmessage
    ADD CONSTRAINT agent_sessions_sessionmessage_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent_sessions_sessionpart
    ADD CONSTRAINT agent_sessions_sessionpart_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_auditcheck
    ADD CONSTRAINT audit_auditcheck_pkey PRIMARY KEY (workspace_id);

ALTER TABLE ONLY public.audit_auditentry
    ADD CONSTRAINT audit_auditentry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_audithead
    ADD CONSTRAINT audit_audithead_pkey PRIMARY KEY (workspace_id);

ALTER TABLE ONLY public.audit_auditentry
    ADD CONSTRAINT audit_seq_once UNIQUE (workspace_id, seq);

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.files_filechunk
    ADD CONSTRAINT chunk_once_per_file UNIQUE (file_id, number);

ALTER TABLE ONLY public.codebases_activecodebase
    ADD CONSTRAINT codebases_activecodebase_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.codebases_codebase
    ADD CONSTRAINT codebases_codebase_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.codebases_codebasehistory
    ADD CONSTRAINT codebases_codebasehistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.codebases_variable
    ADD CONSTRAINT codebases_variable_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.codebases_variablehistory
    ADD CONSTRAINT codebases_variablehistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_celery_beat_clockedschedule
    ADD CONSTRAINT django_celery_beat_clockedschedule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_celery_beat_crontabschedule
    ADD CONSTRAINT django_celery_beat_crontabschedule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_celery_beat_intervalschedule
    ADD CONSTRAINT django_celery_beat_intervalschedule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_celery_beat_periodictask
    ADD CONSTRAINT django_celery_beat_periodictask_name_key UNIQUE (name);

ALTER TABLE ONLY public.django_celery_beat_periodictask
    ADD CONSTRAINT django_celery_beat_periodictask_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_celery_beat_periodictasks
    ADD CONSTRAINT django_celery_beat_periodictasks_pkey PRIMARY KEY (ident);

ALTER TABLE ONLY public.django_celery_beat_solarschedule
    ADD CONSTRAINT django_celery_beat_solar_event_latitude_longitude_ba64999a_uniq UNIQUE (event, latitude, longitude);

ALTER TABLE ONLY public.django_celery_beat_solarschedule
    ADD CONSTRAINT django_celery_beat_solarschedule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);

ALTER TABLE ONLY public.tasks_endedtotal
    ADD CONSTRAINT ended_total_once UNIQUE (workspace_id, state);

ALTER TABLE ONLY public.federation_remoteagent
    ADD CONSTRAINT federation_remoteagent_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.federation_remoteagenthistory
    ADD CONSTRAINT federation_remoteagenthistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.federation_remotetask
    ADD CONSTRAINT federation_remotetask_pkey PRIMARY KEY (task_id);

ALTER TABLE ONLY public.files_filechunk
    ADD CONSTRAINT files_filechunk_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.files_storedfile
    ADD CONSTRAINT files_storedfile_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.accounts_idempotentresponse
    ADD CONSTRAINT idempotency_key_once UNIQUE (workspace_id, key);

ALTER TABLE ONLY public.accounts_oidcidentity
    ADD CONSTRAINT identity_once UNIQUE (issuer, subject);

ALTER TABLE ONLY public.accounts_oidclogout
    ADD CONSTRAINT logout_token_once UNIQUE (issuer, jti);

ALTER TABLE ONLY public.accounts_membership
    ADD CONSTRAINT membership_once UNIQUE (user_id, workspace_id);

ALTER TABLE ONLY public.agent_sessions_sessionmessage
    ADD CONSTRAINT message_once_per_session UNIQUE (session_id, message_id);

ALTER TABLE ONLY public.notifications_notice
    ADD CONSTRAINT notice_once UNIQUE (subscription_id, task_id);

ALTER TABLE ONLY public.notifications_notice
    ADD CONSTRAINT notifications_notice_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notifications_pushsubscription
    ADD CONSTRAINT notifications_pushsubscription_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent_sessions_sessionpart
    ADD CONSTRAINT part_once_per_message UNIQUE (message_id, part_id);

ALTER TABLE ONLY public.pghistory_context
    ADD CONSTRAINT pghistory_context_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.a2a_face_pushconfig
    ADD CONSTRAINT push_config_once UNIQUE (task_id, config_id);

ALTER TABLE ONLY public.notifications_pushsubscription
    ADD CONSTRAINT push_subscription_once UNIQUE (endpoint);

ALTER TABLE ONLY public.a2a_face_pushtotal
    ADD CONSTRAINT push_total_once UNIQUE (workspace_id, outcome);

ALTER TABLE ONLY public.tasks_queuelimit
    ADD CONSTRAINT queue_limit_once UNIQUE (workspace_id, kind, key);

ALTER TABLE ONLY public.federation_remoteagent
    ADD CONSTRAINT remote_agent_once_per_workspace UNIQUE (workspace_id, name);

ALTER TABLE ONLY public.accounts_savedlink
    ADD CONSTRAINT saved_link_name_once UNIQUE (user_id, name);

ALTER TABLE ONLY public.agent_sessions_agentsession
    ADD CONSTRAINT session_once_per_codebase UNIQUE (codebase_id, session_id);

ALTER TABLE ONLY public.tasks_sweeptotal
    ADD CONSTRAINT sweep_total_once UNIQUE (workspace_id, outcome);

ALTER TABLE ONLY public.tasks_task
    ADD CONSTRAINT task_idempotency_key_once UNIQUE (workspace_id, idempotency_key);

ALTER TABLE ONLY public.tasks_endedtotal
    ADD CONSTRAINT tasks_endedtotal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasks_lastsweep
    ADD CONSTRAINT tasks_lastsweep_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasks_outboxentry
    ADD CONSTRAINT tasks_outboxentry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasks_queuelimit
    ADD CONSTRAINT tasks_queuelimit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasks_queuelimithistory
    ADD CONSTRAINT tasks_queuelimithistory_pkey PRIMARY KEY (pgh_id);

ALTER TABLE ONLY public.tasks_sweeptotal
    ADD CONSTRAINT tasks_sweeptotal_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasks_task
    ADD CONSTRAINT tasks_task_claim_token_key UNIQUE (claim_token);

ALTER TABLE ONLY public.tasks_task
    ADD CONSTRAINT tasks_task_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasks_taskevent
    ADD CONSTRAINT tasks_taskevent_pkey PRIMARY KEY (task_id, seq);

ALTER TABLE ONLY public.tasks_workingtree
    ADD CONSTRAINT tasks_workingtree_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.codebases_variable
    ADD CONSTRAINT variable_once_per_place UNIQUE NULLS NOT DISTINCT (workspace_id, codebase_id, name);

ALTER TABLE ONLY public.workers_worker
    ADD CONSTRAINT worker_once_per_workspace UNIQUE (workspace_id, worker_id);

ALTER TABLE ONLY public.workers_worker
    ADD CONSTRAINT workers_worker_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasks_workingtree
    ADD CONSTRAINT working_tree_once UNIQUE (workspace_id, worker_id, tree_id);

CREATE INDEX a2a_face_pushconfighistory_pgh_obj_id_548b9b81 ON public.a2a_face_pushconfighistory USING btree (pgh_obj_id);

CREATE INDEX a2a_face_pushconfighistory_task_id_a85e82fe ON public.a2a_face_pushconfighistory USING btree (task_id);

CREATE INDEX a2a_face_pushconfighistory_workspace_id_0ce36cd6 ON public.a2a_face_pushconfighistory USING btree (workspace_id);

CREATE INDEX a2a_face_pushtotal_workspace_id_f7944c35 ON public.a2a_face_pushtotal USING btree (workspace_id);

CREATE INDEX accounts_apitoken_digest_63ccb187_like ON public.accounts_apitoken USING btree (digest varchar_pattern_ops);

CREATE INDEX accounts_apitoken_previous_digest_9cbb4dfb_like ON public.accounts_apitoken USING btree (previous_digest varchar_pattern_ops);

CREATE INDEX accounts_apitoken_user_id_bbee13e0 ON public.accounts_apitoken USING btree (user_id);

CREATE INDEX accounts_apitoken_workspace_id_7da78f5d ON public.accounts_apitoken USING btree (workspace_id);

CREATE INDEX accounts_apitokenhistory_pgh_obj_id_e35c9542 ON public.accounts_apitokenhistory USING btree (pgh_obj_id);

CREATE INDEX accounts_apitokenhistory_user_id_0b2cf128 ON public.accounts_apitokenhistory USING btree (user_id);

CREATE INDEX accounts_apitokenhistory_workspace_id_37dea238 ON public.accounts_apitokenhistory USING btree (workspace_id);

CREATE INDEX accounts_idempotentresponse_created_at_4c624b38 ON public.accounts_idempotentresponse USING btree (created_at);

CREATE INDEX accounts_idempotentresponse_workspace_id_06f44d97 ON public.accounts_idempotentresponse USING btree (workspace_id);

CREATE INDEX accounts_invitation_accepted_by_id_ba632539 ON public.accounts_invitation USING btree (accepted_by_id);

CREATE INDEX accounts_invitation_digest_4d068cc1_like ON public.accounts_invitation USING btree (digest varchar_pattern_ops);

CREATE INDEX accounts_invitation_workspace_id_7dc693ca ON public.accounts_invitation USING btree (workspace_id);

CREATE INDEX accounts_loginsession_access_digest_17848abe_like ON public.accounts_loginsession USING btree (access_digest varchar_pattern_ops);

CREATE INDEX accounts_loginsession_identity_id_df3a4338 ON public.accounts_loginsession USING btree (identity_id);

CREATE INDEX accounts_loginsession_refresh_digest_557c0d0d_like ON public.accounts_loginsession USING btree (refresh_digest varchar_pattern_ops);

CREATE INDEX accounts_loginsession_session_key_a74ca523_like ON public.accounts_loginsession USING btree (session_key varchar_pattern_ops);

CREATE INDEX accounts_loginsession_user_id_88028387 ON public.accounts_loginsession USING btree (user_id);

CREATE INDEX accounts_loginsession_workspace_id_0628601a ON public.accounts_loginsession USING btree (workspace_id);

CREATE INDEX accounts_membership_user_id_487fb39e ON public.accounts_membership USING btree (user_id);

CREATE INDEX accounts_membership_workspace_id_3a7fb173 ON public.accounts_membership USING btree (workspace_id);

CREATE INDEX accounts_membershiphistory_pgh_obj_id_47816f5f ON public.accounts_membershiphistory USING btree (pgh_obj_id);

CREATE INDEX accounts_membershiphistory_user_id_57064848 ON public.accounts_membershiphistory USING btree (user_id);

CREATE INDEX accounts_membershiphistory_workspace_id_c6454e47 ON public.accounts_membershiphistory USING btree (workspace_id);

CREATE INDEX accounts_oidcidentity_user_id_eec83e9c ON public.accounts_oidcidentity USING btree (user_id);

CREATE INDEX accounts_oidclogout_created_at_6807cd68 ON public.accounts_oidclogout USING btree (created_at);

CREATE INDEX accounts_oidcmembership_identity_id_9feca56e ON public.accounts_oidcmembership USING btree (identity_id);

CREATE INDEX accounts_spentrefresh_digest_ea264d6a_like ON public.accounts_spentrefresh USING btree (digest varchar_pattern_ops);

CREATE INDEX accounts_spentrefresh_login_id_f03d0e2c ON public.accounts_spentrefresh USING btree (login_id);

CREATE INDEX accounts_user_groups_group_id_bd11a704 ON public.accounts_user_groups USING btree (group_id);

CREATE INDEX accounts_user_groups_user_id_52b62117 ON public.accounts_user_groups USING btree (user_id);

CREATE INDEX accounts_user_user_permissions_permission_id_113bb443 ON public.accounts_user_user_permissions USING btree (permission_id);

CREATE INDEX accounts_user_user_permissions_user_id_e4f0a161 ON public.accounts_user_user_permissions USING btree (user_id);

CREATE INDEX accounts_user_username_6088629e_like ON public.accounts_user USING btree (username varchar_pattern_ops);

CREATE INDEX accounts_userhistory_pgh_obj_id_060a3ce7 ON public.accounts_userhistory USING btree (pgh_obj_id);

CREATE INDEX accounts_workspace_slug_bdf7b4c7_like ON public.accounts_workspace USING btree (slug varchar_pattern_ops);

CREATE INDEX accounts_workspacehistory_pgh_obj_id_1ad5f5af ON public.accounts_workspacehistory USING btree (pgh_obj_id);

CREATE INDEX agent_sessions_sessionmessage_workspace_id_f07ecafe ON public.agent_sessions_sessionmessage USING btree (workspace_id);

CREATE INDEX agent_sessions_sessionpart_workspace_id_9eb23160 ON public.agent_sessions_sessionpart USING btree (workspace_id);

CREATE INDEX audit_by_action ON public.audit_auditentry USING btree (workspace_id, action, seq);

CREATE INDEX audit_by_actor ON public.audit_auditentry USING btree (workspace_id, actor, seq);

CREATE INDEX audit_by_target ON public.audit_auditentry USING btree (workspace_id, target, seq);

CREATE INDEX audit_by_time ON public.audit_auditentry USING btree (workspace_id, at);

CREATE INDEX audit_refused ON public.audit_auditentry USING btree (workspace_id, seq) WHERE ((outcome)::text = 'refused'::text);

CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);

CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);

CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);

CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);

CREATE UNIQUE INDEX codebase_path_once_per_worker ON public.codebases_codebase USING btree (workspace_id, worker_id, path) WHERE (NOT ((worker_id)::text = ''::text));

CREATE INDEX codebases_activecodebase_codebase_id_9ec7b6db ON public.codebases_activecodebase USING btree (codebase_id);

CREATE INDEX codebases_activecodebase_codebase_id_9ec7b6db_like ON public.codebases_activecodebase USING btree (codebase_id varchar_pattern_ops);

CREATE INDEX codebases_codebase_id_c0d8ee37_like ON public.codebases_codebase USING btree (id varchar_pattern_ops);

CREATE INDEX codebases_codebase_workspace_id_106ca075 ON public.codebases_codebase USING btree (workspace_id);

CREATE INDEX codebases_codebasehistory_pgh_obj_id_ddcf0e9d ON public.codebases_codebasehistory USING btree (pgh_obj_id);

CREATE INDEX codebases_codebasehistory_pgh_obj_id_ddcf0e9d_like ON public.codebases_codebasehistory USING btree (pgh_obj_id varchar_pattern_ops);

CREATE INDEX codebases_codebasehistory_workspace_id_16335a55 ON public.codebases_codebasehistory USING btree (workspace_id);

CREATE INDEX codebases_variable_codebase_id_d5a4f80a ON public.codebases_variable USING btree (codebase_id);

CREATE INDEX codebases_variable_codebase_id_d5a4f80a_like ON public.codebases_variable USING btree (codebase_id varchar_pattern_ops);

CREATE INDEX codebases_variablehistory_codebase_id_d98619e2 ON public.codebases_variablehistory USING btree (codebase_id);

CREATE INDEX codebases_variablehistory_codebase_id_d98619e2_like ON public.codebases_variablehistory USING btree (codebase_id varchar_pattern_ops);

CREATE INDEX codebases_variablehistory_pgh_obj_id_2170eff1 ON public.codebases_variablehistory USING btree (pgh_obj_id);

CREATE INDEX codebases_variablehistory_workspace_id_99dfb98a ON public.codebases_variablehistory USING btree (workspace_id);

CREATE INDEX django_admin_log_content_type_id_c4bce8eb ON public.django_admin_log USING btree (content_type_id);

CREATE INDEX django_admin_log_user_id_c564eba6 ON public.django_admin_log USING btree (user_id);

CREATE INDEX django_celery_beat_periodictask_clocked_id_47a69f82 ON public.django_celery_beat_periodictask USING btree (clocked_id);

CREATE INDEX django_celery_beat_periodictask_crontab_id_d3cba168 ON public.django_celery_beat_periodictask USING btree (crontab_id);

CREATE INDEX django_celery_beat_periodictask_interval_id_a8ca27da ON public.django_celery_beat_periodictask USING btree (interval_id);

CREATE INDEX django_celery_beat_periodictask_name_265a36b7_like ON public.django_celery_beat_periodictask USING btree (name varchar_pattern_ops);

CREATE INDEX django_celery_beat_periodictask_solar_id_a87ce72c ON public.django_celery_beat_periodictask USING btree (solar_id);

CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);

CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);

CREATE INDEX event_by_position ON public.tasks_taskevent USING btree (workspace_id, "position");

CREATE INDEX federation_remoteagent_workspace_id_a181e199 ON public.federation_remoteagent USING btree (workspace_id);

CREATE INDEX federation_remoteagenthistory_pgh_obj_id_c435527a ON public.federation_remoteagenthistory USING btree (pgh_obj_id);

CREATE INDEX federation_remoteagenthistory_workspace_id_f3230cff ON public.federation_remoteagenthistory USING btree (workspace_id);

CREATE INDEX federation_remotetask_workspace_id_129ba63c ON public.federation_remotetask USING btree (workspace_id);

CREATE INDEX file_attached_to_nothing ON public.files_storedfile USING btree (created_at) WHERE (task_id IS NULL);

CREATE INDEX files_storedfile_task_id_3bf1cd2c ON public.files_storedfile USING btree (task_id);

CREATE INDEX files_storedfile_workspace_id_b94b91e2 ON public.files_storedfile USING btree (workspace_id);

CREATE INDEX login_by_end ON public.accounts_loginsession USING btree (expires_at);

CREATE INDEX login_by_sid ON public.accounts_loginsession USING btree (sid);

CREATE INDEX logout_by_sid ON public.accounts_oidclogout USING btree (sid);

CREATE INDEX logout_by_subject ON public.accounts_oidclogout USING btree (subject);

CREATE INDEX message_in_order ON public.agent_sessions_sessionmessage USING btree (session_id, created_at);

CREATE INDEX notice_due ON public.notifications_notice USING btree (due_at);

CREATE INDEX notifications_notice_task_id_560c2064 ON public.notifications_notice USING btree (task_id);

CREATE INDEX notifications_notice_workspace_id_949e85d2 ON public.notifications_notice USING btree (workspace_id);

CREATE INDEX notifications_pushsubscription_user_id_ffe8030a ON public.notifications_pushsubscription USING btree (user_id);

CREATE INDEX push_config_due ON public.a2a_face_pushconfig USING btree (due_at) WHERE ((due_at IS NOT NULL) AND (given_up_at IS NULL));

CREATE INDEX push_config_failing ON public.a2a_face_pushconfig USING btree (workspace_id, given_up_at) WHERE (attempts > 0);

CREATE INDEX push_config_newest ON public.a2a_face_pushconfig USING btree (workspace_id, created_at DESC, id DESC);

CREATE INDEX push_config_taken ON public.a2a_face_pushconfig USING btree (taken_until) WHERE (taken_until IS NOT NULL);

CREATE INDEX remote_task_of_context ON public.federation_remotetask USING btree (workspace_id, agent_name, context_id, created_at) WHERE (NOT (remote_context_id = ''::text));

CREATE INDEX remote_task_of_session ON public.federation_remotetask USING btree (workspace_id, agent_name, remote_context_id) WHERE (NOT (remote_context_id = ''::text));

CREATE INDEX remote_task_open ON public.federation_remotetask USING btree (workspace_id) WHERE is_open;

CREATE INDEX search_newest ON public.agent_sessions_searchentry USING btree (workspace_id, created_at DESC);

CREATE INDEX search_of_session ON public.agent_sessions_searchentry USING btree (session_id);

CREATE INDEX search_words ON public.agent_sessions_searchentry USING gin (words);

CREATE INDEX session_by_its_id ON public.agent_sessions_agentsession USING btree (session_id);

CREATE INDEX session_forks ON public.agent_sessions_agentsession USING btree (codebase_id, forked_from) WHERE (NOT (forked_from = ''::text));

CREATE INDEX session_newest ON public.agent_sessions_agentsession USING btree (workspace_id, updated_at DESC);

CREATE INDEX session_newest_of_all ON public.agent_sessions_agentsession USING btree (updated_at DESC, id DESC) INCLUDE (workspace_id);

CREATE INDEX session_of_codebase ON public.agent_sessions_agentsession USING btree (codebase_id, updated_at DESC);

CREATE INDEX session_of_program ON public.agent_sessions_agentsession USING btree (source, updated_at DESC, id DESC) INCLUDE (workspace_id);

CREATE INDEX session_of_worker ON public.agent_sessions_agentsession USING btree (worker_id, updated_at DESC, id DESC) INCLUDE (workspace_id);

CREATE INDEX session_title_words ON public.agent_sessions_agentsession USING gin (to_tsvector('english'::regconfig, COALESCE(title, ''::text)));

CREATE INDEX session_unsearched ON public.agent_sessions_agentsession USING btree (synced_at) WHERE unsearched;

CREATE INDEX task_by_move ON public.tasks_task USING btree (workspace_id, moved_at DESC, id DESC);

CREATE INDEX task_by_state ON public.tasks_task USING btree (workspace_id, state, created_at DESC) WHERE (NOT (state = 'pending'::text));

CREATE INDEX task_claim ON public.tasks_task USING btree (workspace_id, queue, rank, id) WHERE (state = 'pending'::text);

CREATE INDEX task_deadline ON public.tasks_task USING btree (deadline_at) WHERE ((deadline_at IS NOT NULL) AND (state = 'pending'::text));

CREATE INDEX task_held_by ON public.tasks_task USING btree (worker_id) WHERE (state = ANY (ARRAY['auth_required'::text, 'input_required'::text, 'running'::text]));

CREATE INDEX task_held_of_key ON public.tasks_task USING btree (workspace_id, concurrency_key) WHERE ((state = ANY (ARRAY['auth_required'::text, 'input_required'::text, 'running'::text])) AND (NOT (concurrency_key = ''::text)));

CREATE INDEX task_lease ON public.tasks_task USING btree (lease_expires_at) WHERE (state = ANY (ARRAY['auth_required'::text, 'input_required'::text, 'running'::text]));

CREATE INDEX task_newest ON public.tasks_task USING btree (workspace_id, created_at DESC, id DESC);

CREATE INDEX task_of_codebase ON public.tasks_task USING btree (codebase_id, created_at DESC);

CREATE INDEX task_of_context ON public.tasks_task USING btree (workspace_id, context_id) WHERE (NOT (context_id = ''::text));

CREATE INDEX task_of_session ON public.tasks_task USING btree (session_id) WHERE (NOT (session_id = ''::text));

CREATE INDEX task_of_whom ON public.tasks_task USING brin (created_by text_bloom_ops (n_distinct_per_range='100'), worker_id text_bloom_ops (n_distinct_per_range='100'), agent_type text_bloom_ops (n_distinct_per_range='100')) WITH (pages_per_range='64', autosummarize='on');

CREATE INDEX task_to_compact ON public.tasks_task USING btree (completed_at) WHERE ((compacted_at IS NULL) AND (completed_at IS NOT NULL));

CREATE INDEX task_to_try_again ON public.tasks_task USING btree (workspace_id, created_at DESC, id DESC) WHERE ((attempt > 0) AND (state = 'pending'::text));

CREATE INDEX task_tried ON public.tasks_task USING btree (workspace_id, created_at DESC, id DESC) WHERE (attempt > 0);

CREATE INDEX tasks_endedtotal_workspace_id_fcaf1271 ON public.tasks_endedtotal USING btree (workspace_id);

CREATE INDEX tasks_queuelimit_workspace_id_54849f1a ON public.tasks_queuelimit USING btree (workspace_id);

CREATE INDEX tasks_queuelimithistory_pgh_obj_id_4bcc69f5 ON public.tasks_queuelimithistory USING btree (pgh_obj_id);

CREATE INDEX tasks_queuelimithistory_workspace_id_39139519 ON public.tasks_queuelimithistory USING btree (workspace_id);

CREATE INDEX tasks_sweeptotal_workspace_id_e932ad14 ON public.tasks_sweeptotal USING btree (workspace_id);

CREATE INDEX workers_worker_workspace_id_de9de8d0 ON public.workers_worker USING btree (workspace_id);

CREATE INDEX working_tree_of_codebase ON public.tasks_workingtree USING btree (workspace_id, codebase_id, updated_at DESC);

CREATE INDEX working_tree_of_task ON public.tasks_workingtree USING gin (task_ids);

CREATE TRIGGER pgtrigger_delete_delete_044ad AFTER DELETE ON public.accounts_workspace FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_044ad();

COMMENT ON TRIGGER pgtrigger_delete_delete_044ad ON public.accounts_workspace IS 'fb3143bdbd479eadd5a089d441276572790a5310';

CREATE TRIGGER pgtrigger_delete_delete_05fdd AFTER DELETE ON public.tasks_queuelimit FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_05fdd();

COMMENT ON TRIGGER pgtrigger_delete_delete_05fdd ON public.tasks_queuelimit IS '6402ec630ad1aa7203e73b451f9fb1e38fe875e4';

CREATE TRIGGER pgtrigger_delete_delete_18966 AFTER DELETE ON public.a2a_face_pushconfig FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_18966();

COMMENT ON TRIGGER pgtrigger_delete_delete_18966 ON public.a2a_face_pushconfig IS '31f898a155a43419383600543013ba3827a90360';

CREATE TRIGGER pgtrigger_delete_delete_19a8f AFTER DELETE ON public.accounts_membership FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_19a8f();

COMMENT ON TRIGGER pgtrigger_delete_delete_19a8f ON public.accounts_membership IS 'fb98f7102795f8b25b6c05388ce4c6d8d6a2f574';

CREATE TRIGGER pgtrigger_delete_delete_19f14 AFTER DELETE ON public.accounts_user FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_19f14();

COMMENT ON TRIGGER pgtrigger_delete_delete_19f14 ON public.accounts_user IS 'cb22f17a192f978958c89df2d285e8d62644d042';

CREATE TRIGGER pgtrigger_delete_delete_4f759 AFTER DELETE ON public.codebases_codebase FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_4f759();

COMMENT ON TRIGGER pgtrigger_delete_delete_4f759 ON public.codebases_codebase IS '1fbbc05ffda35cb2ea11b4db8118efb8d8bc2b89';

CREATE TRIGGER pgtrigger_delete_delete_6e065 AFTER DELETE ON public.accounts_apitoken FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_6e065();

COMMENT ON TRIGGER pgtrigger_delete_delete_6e065 ON public.accounts_apitoken IS 'cc57094abebce08770c44af72a17c23f4a0a7169';

CREATE TRIGGER pgtrigger_delete_delete_72916 AFTER DELETE ON public.codebases_variable FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_72916();

COMMENT ON TRIGGER pgtrigger_delete_delete_72916 ON public.codebases_variable IS '73930cc3c099551caa2b1f13d1fb94b8b57d8e65';

CREATE TRIGGER pgtrigger_delete_delete_b3a5b AFTER DELETE ON public.federation_remoteagent FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_delete_delete_b3a5b();

COMMENT ON TRIGGER pgtrigger_delete_delete_b3a5b ON public.federation_remoteagent IS '4b724877ae141b0116b5083c21419bc55014438e';

CREATE TRIGGER pgtrigger_insert_insert_01b7d AFTER INSERT ON public.accounts_apitoken FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_01b7d();

COMMENT ON TRIGGER pgtrigger_insert_insert_01b7d ON public.accounts_apitoken IS '878d5f94fd48933a5281d2ba8b46d9bbd84480ab';

CREATE TRIGGER pgtrigger_insert_insert_096e7 AFTER INSERT ON public.accounts_workspace FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_096e7();

COMMENT ON TRIGGER pgtrigger_insert_insert_096e7 ON public.accounts_workspace IS 'cfdbd100992c1914b07c84740df4ea50f2a5ac02';

CREATE TRIGGER pgtrigger_insert_insert_1cb71 AFTER INSERT ON public.tasks_queuelimit FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_1cb71();

COMMENT ON TRIGGER pgtrigger_insert_insert_1cb71 ON public.tasks_queuelimit IS '58fded4a192e7fead697a5e2d878b6ee314931eb';

CREATE TRIGGER pgtrigger_insert_insert_339d5 AFTER INSERT ON public.a2a_face_pushconfig FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_339d5();

COMMENT ON TRIGGER pgtrigger_insert_insert_339d5 ON public.a2a_face_pushconfig IS 'ead3dbde79f87ffd01a99137906cf453cd571ccd';

CREATE TRIGGER pgtrigger_insert_insert_3867c AFTER INSERT ON public.accounts_user FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_3867c();

COMMENT ON TRIGGER pgtrigger_insert_insert_3867c ON public.accounts_user IS '3f6595b6079a27ecf064add2fd9da49013d1dde0';

CREATE TRIGGER pgtrigger_insert_insert_49740 AFTER INSERT ON public.codebases_variable FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_49740();

COMMENT ON TRIGGER pgtrigger_insert_insert_49740 ON public.codebases_variable IS '8fd358f9dc61ad307a557defde0fe657b322f186';

CREATE TRIGGER pgtrigger_insert_insert_5694f AFTER INSERT ON public.federation_remoteagent FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_5694f();

COMMENT ON TRIGGER pgtrigger_insert_insert_5694f ON public.federation_remoteagent IS '4cd985960c7921dccd5b407dc8be3973dbd25226';

CREATE TRIGGER pgtrigger_insert_insert_dd132 AFTER INSERT ON public.codebases_codebase FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_dd132();

COMMENT ON TRIGGER pgtrigger_insert_insert_dd132 ON public.codebases_codebase IS '74be659d488a9fb14aa1cb1368b11535d34c2cca';

CREATE TRIGGER pgtrigger_insert_insert_fc05a AFTER INSERT ON public.accounts_membership FOR EACH ROW EXECUTE FUNCTION public.pgtrigger_insert_insert_fc05a();

COMMENT ON TRIGGER pgtrigger_insert_insert_fc05a ON public.accounts_membership IS 'f8e7dc50821e05981a3f463188cab716d8280852';

CREATE TRIGGER pgtrigger_update_update_0a187 AFTER UPDATE OF id, workspace_id, name, path, description, agent_config, worker_id, status ON public.codebases_codebase FOR EACH ROW WHEN (((old.agent_config IS DISTINCT FROM new.agent_config) OR (old.description IS DISTINCT FROM new.description) OR ((old.id)::text IS DISTINCT FROM (new.id)::text) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR ((old.path)::text IS DISTINCT FROM (new.path)::text) OR ((old.status)::text IS DISTINCT FROM (new.status)::text) OR ((old.worker_id)::text IS DISTINCT FROM (new.worker_id)::text) OR (old.workspace_id IS DISTINCT FROM new.workspace_id))) EXECUTE FUNCTION public.pgtrigger_update_update_0a187();

COMMENT ON TRIGGER pgtrigger_update_update_0a187 ON public.codebases_codebase IS 'e90ff1c33681977df26ccf67c478cf207c11937d';

CREATE TRIGGER pgtrigger_update_update_0e890 AFTER UPDATE OF id, username, email, first_name, last_name, is_active, is_staff, is_superuser ON public.accounts_user FOR EACH ROW WHEN ((((old.email)::text IS DISTINCT FROM (new.email)::text) OR ((old.first_name)::text IS DISTINCT FROM (new.first_name)::text) OR (old.id IS DISTINCT FROM new.id) OR (old.is_active IS DISTINCT FROM new.is_active) OR (old.is_staff IS DISTINCT FROM new.is_staff) OR (old.is_superuser IS DISTINCT FROM new.is_superuser) OR ((old.last_name)::text IS DISTINCT FROM (new.last_name)::text) OR ((old.username)::text IS DISTINCT FROM (new.username)::text))) EXECUTE FUNCTION public.pgtrigger_update_update_0e890();

COMMENT ON TRIGGER pgtrigger_update_update_0e890 ON public.accounts_user IS '7804118a95f5ac1e3d5a35fc769606ab4436126e';

CREATE TRIGGER pgtrigger_update_update_20ab5 AFTER UPDATE OF id, workspace_id, user_id, role ON public.accounts_membership FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR ((old.role)::text IS DISTINCT FROM (new.role)::text) OR (old.user_id IS DISTINCT FROM new.user_id) OR (old.workspace_id IS DISTINCT FROM new.workspace_id))) EXECUTE FUNCTION public.pgtrigger_update_update_20ab5();

COMMENT ON TRIGGER pgtrigger_update_update_20ab5 ON public.accounts_membership IS '9a7c0470f0fba767b51c7dfd67895e5b68c4ceee';

CREATE TRIGGER pgtrigger_update_update_24018 AFTER UPDATE OF id, slug, name ON public.accounts_workspace FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR ((old.slug)::text IS DISTINCT FROM (new.slug)::text))) EXECUTE FUNCTION public.pgtrigger_update_update_24018();

COMMENT ON TRIGGER pgtrigger_update_update_24018 ON public.accounts_workspace IS '4e55eecc3fb5f5f94c22e9d78e0241770117a053';

CREATE TRIGGER pgtrigger_update_update_41519 AFTER UPDATE OF id, workspace_id, kind, key, most, paused_at, reason, changed_by ON public.tasks_queuelimit FOR EACH ROW WHEN (((old.changed_by IS DISTINCT FROM new.changed_by) OR (old.id IS DISTINCT FROM new.id) OR (old.key IS DISTINCT FROM new.key) OR (old.kind IS DISTINCT FROM new.kind) OR (old.most IS DISTINCT FROM new.most) OR (old.paused_at IS DISTINCT FROM new.paused_at) OR (old.reason IS DISTINCT FROM new.reason) OR (old.workspace_id IS DISTINCT FROM new.workspace_id))) EXECUTE FUNCTION public.pgtrigger_update_update_41519();

COMMENT ON TRIGGER pgtrigger_update_update_41519 ON public.tasks_queuelimit IS '39d07a5db862dcf6476426b1b842148dcdca2276';

CREATE TRIGGER pgtrigger_update_update_6b0d8 AFTER UPDATE OF id, workspace_id, name, card_url, endpoint_url, binding, protocol_version, signature, require_signature, jwks_url, auth, auth_header, enabled, created_by ON public.federation_remoteagent FOR EACH ROW WHEN ((((old.auth)::text IS DISTINCT FROM (new.auth)::text) OR ((old.auth_header)::text IS DISTINCT FROM (new.auth_header)::text) OR ((old.binding)::text IS DISTINCT FROM (new.binding)::text) OR ((old.card_url)::text IS DISTINCT FROM (new.card_url)::text) OR ((old.created_by)::text IS DISTINCT FROM (new.created_by)::text) OR (old.enabled IS DISTINCT FROM new.enabled) OR ((old.endpoint_url)::text IS DISTINCT FROM (new.endpoint_url)::text) OR (old.id IS DISTINCT FROM new.id) OR ((old.jwks_url)::text IS DISTINCT FROM (new.jwks_url)::text) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR ((old.protocol_version)::text IS DISTINCT FROM (new.protocol_version)::text) OR (old.require_signature IS DISTINCT FROM new.require_signature) OR ((old.signature)::text IS DISTINCT FROM (new.signature)::text) OR (old.workspace_id IS DISTINCT FROM new.workspace_id))) EXECUTE FUNCTION public.pgtrigger_update_update_6b0d8();

COMMENT ON TRIGGER pgtrigger_update_update_6b0d8 ON public.federation_remoteagent IS 'faabdec55a596976eae9b2aa499066016446824c';

CREATE TRIGGER pgtrigger_update_update_87c89 AFTER UPDATE OF id, workspace_id, task_id, config_id, host, scheme, version, created_by, given_up_at ON public.a2a_face_pushconfig FOR EACH ROW WHEN (((old.config_id IS DISTINCT FROM new.config_id) OR (old.created_by IS DISTINCT FROM new.created_by) OR (old.given_up_at IS DISTINCT FROM new.given_up_at) OR (old.host IS DISTINCT FROM new.host) OR (old.id IS DISTINCT FROM new.id) OR (old.scheme IS DISTINCT FROM new.scheme) OR (old.task_id IS DISTINCT FROM new.task_id) OR (old.version IS DISTINCT FROM new.version) OR (old.workspace_id IS DISTINCT FROM new.workspace_id))) EXECUTE FUNCTION public.pgtrigger_update_update_87c89();

COMMENT ON TRIGGER pgtrigger_update_update_87c89 ON public.a2a_face_pushconfig IS '7d56024fb30447b8222afb921e2341f9c41870d5';

CREATE TRIGGER pgtrigger_update_update_df53b AFTER UPDATE OF id, workspace_id, user_id, name, role, scopes, codebases, made_by, rotated_at, expires_at, revoked_at ON public.accounts_apitoken FOR EACH ROW WHEN (((old.codebases IS DISTINCT FROM new.codebases) OR (old.expires_at IS DISTINCT FROM new.expires_at) OR (old.id IS DISTINCT FROM new.id) OR ((old.made_by)::text IS DISTINCT FROM (new.made_by)::text) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR (old.revoked_at IS DISTINCT FROM new.revoked_at) OR ((old.role)::text IS DISTINCT FROM (new.role)::text) OR (old.rotated_at IS DISTINCT FROM new.rotated_at) OR (old.scopes IS DISTINCT FROM new.scopes) OR (old.user_id IS DISTINCT FROM new.user_id) OR (old.workspace_id IS DISTINCT FROM new.workspace_id))) EXECUTE FUNCTION public.pgtrigger_update_update_df53b();

COMMENT ON TRIGGER pgtrigger_update_update_df53b ON public.accounts_apitoken IS '7f96b269fbd1afa31e722be5d24d3f2605f25205';

CREATE TRIGGER pgtrigger_update_update_e1a13 AFTER UPDATE OF id, workspace_id, codebase_id, name, kind, description, agent_types, set_by, updated_at ON public.codebases_variable FOR EACH ROW WHEN (((old.agent_types IS DISTINCT FROM new.agent_types) OR ((old.codebase_id)::text IS DISTINCT FROM (new.codebase_id)::text) OR ((old.description)::text IS DISTINCT FROM (new.description)::text) OR (old.id IS DISTINCT FROM new.id) OR ((old.kind)::text IS DISTINCT FROM (new.kind)::text) OR ((old.name)::text IS DISTINCT FROM (new.name)::text) OR ((old.set_by)::text IS DISTINCT FROM (new.set_by)::text) OR (old.updated_at IS DISTINCT FROM new.updated_at) OR (old.workspace_id IS DISTINCT FROM new.workspace_id))) EXECUTE FUNCTION public.pgtrigger_update_update_e1a13();

COMMENT ON TRIGGER pgtrigger_update_update_e1a13 ON public.codebases_variable IS 'ae76efd89815298aa0ee5bdc2db5822a8d9e718c';

ALTER TABLE ONLY public.a2a_face_pushconfig
    ADD CONSTRAINT a2a_face_pushconfig_task_id_bb7b6bd2_fk_tasks_task_id FOREIGN KEY (task_id) REFERENCES public.tasks_task(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.a2a_face_pushconfig
    ADD CONSTRAINT a2a_face_pushconfig_workspace_id_90bd7097_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.a2a_face_pushtotal
    ADD CONSTRAINT a2a_face_pushtotal_workspace_id_f7944c35_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_apitoken
    ADD CONSTRAINT accounts_apitoken_user_id_bbee13e0_fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_apitoken
    ADD CONSTRAINT accounts_apitoken_workspace_id_7da78f5d_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_idempotentresponse
    ADD CONSTRAINT accounts_idempotentr_workspace_id_06f44d97_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_invitation
    ADD CONSTRAINT accounts_invitation_accepted_by_id_ba632539_fk_accounts_user_id FOREIGN KEY (accepted_by_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_invitation
    ADD CONSTRAINT accounts_invitation_workspace_id_7dc693ca_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_loginsession
    ADD CONSTRAINT accounts_loginsessio_identity_id_df3a4338_fk_accounts_ FOREIGN KEY (identity_id) REFERENCES public.accounts_oidcidentity(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_loginsession
    ADD CONSTRAINT accounts_loginsessio_workspace_id_0628601a_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_loginsession
    ADD CONSTRAINT accounts_loginsession_user_id_88028387_fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_membership
    ADD CONSTRAINT accounts_membership_user_id_487fb39e_fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_membership
    ADD CONSTRAINT accounts_membership_workspace_id_3a7fb173_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_oidcidentity
    ADD CONSTRAINT accounts_oidcidentity_user_id_eec83e9c_fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_oidcmembership
    ADD CONSTRAINT accounts_oidcmembers_identity_id_9feca56e_fk_accounts_ FOREIGN KEY (identity_id) REFERENCES public.accounts_oidcidentity(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_oidcmembership
    ADD CONSTRAINT accounts_oidcmembers_membership_id_13cf1616_fk_accounts_ FOREIGN KEY (membership_id) REFERENCES public.accounts_membership(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_savedlink
    ADD CONSTRAINT accounts_savedlink_user_id_fc0e3e0c_fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_spentrefresh
    ADD CONSTRAINT accounts_spentrefres_login_id_f03d0e2c_fk_accounts_ FOREIGN KEY (login_id) REFERENCES public.accounts_loginsession(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_user_groups
    ADD CONSTRAINT accounts_user_groups_group_id_bd11a704_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_user_groups
    ADD CONSTRAINT accounts_user_groups_user_id_52b62117_fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_user_user_permissions
    ADD CONSTRAINT accounts_user_user_p_permission_id_113bb443_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.accounts_user_user_permissions
    ADD CONSTRAINT accounts_user_user_p_user_id_e4f0a161_fk_accounts_ FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.agent_sessions_agentsession
    ADD CONSTRAINT agent_sessions_agent_codebase_id_8c2995e8_fk_codebases FOREIGN KEY (codebase_id) REFERENCES public.codebases_codebase(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.agent_sessions_agentsession
    ADD CONSTRAINT agent_sessions_agent_workspace_id_b2ed4593_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.agent_sessions_searchentry
    ADD CONSTRAINT agent_sessions_searc_message_id_2812cbb2_fk_agent_ses FOREIGN KEY (message_id) REFERENCES public.agent_sessions_sessionmessage(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.agent_sessions_searchentry
    ADD CONSTRAINT agent_sessions_searc_session_id_ae76b7a7_fk_agent_ses FOREIGN KEY (session_id) REFERENCES public.agent_sessions_agentsession(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.agent_sessions_searchentry
    ADD CONSTRAINT agent_sessions_searc_workspace_id_c3b9fea2_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.agent_sessions_sessionmessage
    ADD CONSTRAINT agent_sessions_sessi_session_id_24b8412a_fk_agent_ses FOREIGN KEY (session_id) REFERENCES public.agent_sessions_agentsession(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.codebases_activecodebase
    ADD CONSTRAINT codebases_activecode_codebase_id_9ec7b6db_fk_codebases FOREIGN KEY (codebase_id) REFERENCES public.codebases_codebase(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.codebases_activecodebase
    ADD CONSTRAINT codebases_activecode_workspace_id_8c3c0ee5_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.codebases_codebase
    ADD CONSTRAINT codebases_codebase_workspace_id_106ca075_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.codebases_variable
    ADD CONSTRAINT codebases_variable_codebase_id_d5a4f80a_fk_codebases FOREIGN KEY (codebase_id) REFERENCES public.codebases_codebase(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.codebases_variable
    ADD CONSTRAINT codebases_variable_workspace_id_bc74ff77_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_content_type_id_c4bce8eb_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_user_id_c564eba6_fk_accounts_user_id FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.django_celery_beat_periodictask
    ADD CONSTRAINT django_celery_beat_p_clocked_id_47a69f82_fk_django_ce FOREIGN KEY (clocked_id) REFERENCES public.django_celery_beat_clockedschedule(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.django_celery_beat_periodictask
    ADD CONSTRAINT django_celery_beat_p_crontab_id_d3cba168_fk_django_ce FOREIGN KEY (crontab_id) REFERENCES public.django_celery_beat_crontabschedule(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.django_celery_beat_periodictask
    ADD CONSTRAINT django_celery_beat_p_interval_id_a8ca27da_fk_django_ce FOREIGN KEY (interval_id) REFERENCES public.django_celery_beat_intervalschedule(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.django_celery_beat_periodictask
    ADD CONSTRAINT django_celery_beat_p_solar_id_a87ce72c_fk_django_ce FOREIGN KEY (solar_id) REFERENCES public.django_celery_beat_solarschedule(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.federation_remoteagent
    ADD CONSTRAINT federation_remoteage_workspace_id_a181e199_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.federation_remotetask
    ADD CONSTRAINT federation_remotetas_workspace_id_129ba63c_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.files_filechunk
    ADD CONSTRAINT files_filechunk_file_id_f86adb49_fk_files_storedfile_id FOREIGN KEY (file_id) REFERENCES public.files_storedfile(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.files_storedfile
    ADD CONSTRAINT files_storedfile_workspace_id_b94b91e2_fk_accounts_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.notifications_notice
    ADD CONSTRAINT notifications_notice_subscription_id_f253f59e_fk_notificat FOREIGN KEY (subscription_id) REFERENCES public.notifications_pushsubscription(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.notifications_notice
    ADD CONSTRAINT notifications_notice_task_id_560c2064_fk_tasks_task_id FOREIGN KEY (task_id) REFERENCES public.tasks_task(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.notifications_notice
    ADD CONSTRAINT notifications_notice_workspace_id_949e85d2_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.notifications_pushsubscription
    ADD CONSTRAINT notifications_pushsu_user_id_ffe8030a_fk_accounts_ FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.tasks_endedtotal
    ADD CONSTRAINT tasks_endedtotal_workspace_id_fcaf1271_fk_accounts_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.tasks_queuelimit
    ADD CONSTRAINT tasks_queuelimit_workspace_id_54849f1a_fk_accounts_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.tasks_sweeptotal
    ADD CONSTRAINT tasks_sweeptotal_workspace_id_e932ad14_fk_accounts_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.tasks_task
    ADD CONSTRAINT tasks_task_codebase_id_dfdc616c_fk_codebases_codebase_id FOREIGN KEY (codebase_id) REFERENCES public.codebases_codebase(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.tasks_task
    ADD CONSTRAINT tasks_task_workspace_id_f79e2ad7_fk_accounts_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.tasks_workingtree
    ADD CONSTRAINT tasks_workingtree_workspace_id_b6b0a1d2_fk_accounts_ FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.workers_worker
    ADD CONSTRAINT workers_worker_token_id_475d7402_fk_accounts_apitoken_id FOREIGN KEY (token_id) REFERENCES public.accounts_apitoken(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.workers_worker
    ADD CONSTRAINT workers_worker_workspace_id_de9de8d0_fk_accounts_workspace_id FOREIGN KEY (workspace_id) REFERENCES public.accounts_workspace(id) DEFERRABLE INITIALLY DEFERRED;
