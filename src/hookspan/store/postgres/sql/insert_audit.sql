-- Adds a line to its chain, unless its id is another line's. Upkeep of audit_chain and audit_application.
insert into audit (
  id, application_id, sequence, at, application, actor_kind, actor_id, actor_name, role, action, object_kind, object_id,
  address, request_id, detail, previous_hash, hash, by_operator
) values (
  %(id)s, %(application_id)s, %(sequence)s, %(at)s, %(application)s, %(actor_kind)s, %(actor_id)s, %(actor_name)s,
  %(role)s, %(action)s, %(object_kind)s, %(object_id)s, %(address)s, %(request_id)s, %(detail)s, %(previous_hash)s,
  %(hash)s, %(by_operator)s
)
on conflict (id) do nothing
