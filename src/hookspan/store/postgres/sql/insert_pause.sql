-- A pause in force, unless there is one of this scope already.
insert into pause (id, scope, profile, application_id, reason, paused_at)
values (%(id)s, %(scope)s, %(profile)s, %(application_id)s, %(reason)s, %(paused_at)s)
on conflict do nothing
