-- A pause in force, unless there is one of this scope already.
insert into pause (id, scope, profile, application_id, reason, paused_at)
values (:id, :scope, :profile, :application_id, :reason, :paused_at)
on conflict do nothing
