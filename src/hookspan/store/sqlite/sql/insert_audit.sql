-- Adds a line to its chain, under an id above all others.
insert into audit (
  id, application_id, sequence, at, application, actor_kind, actor_id, actor_name, role, action, object_kind, object_id,
  address, request_id, detail, previous_hash, hash, by_operator
) values (
  :id, :application_id, :sequence, :at, :application, :actor_kind, :actor_id, :actor_name, :role, :action, :object_kind,
  :object_id, :address, :request_id, :detail, :previous_hash, :hash, :by_operator
)
