-- Lines of applications of one public id, or of one of them, newest first. Leans on audit_application; filters are
-- walked past, up to a bound.
select
  id, application_id, sequence, at, application, actor_kind, actor_id, actor_name, role, action, object_kind, object_id,
  address, request_id, detail, previous_hash, hash, by_operator
from (
  select * from audit where application = :application and id >= :low and id < :high order by id desc limit :walk
) as found
where at >= :since and at < :until
  and (:application_id is null or application_id = :application_id)
  and (:action is null or action = :action)
  and (:actor_id is null or (actor_id = :actor_id and (not :own_actors or not by_operator)))
  and (:object_id is null or object_id = :object_id)
order by id desc
limit :limit
