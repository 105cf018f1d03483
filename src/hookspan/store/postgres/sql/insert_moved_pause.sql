-- A pause of an application that has come from another database, unless it has one in force already. Leans on
-- pause_in_force.
insert into pause (id, scope, application_id, reason, paused_at, ended_at)
values (%(id)s, 3, %(application_id)s, %(reason)s, %(paused_at)s, %(ended_at)s)
on conflict do nothing
