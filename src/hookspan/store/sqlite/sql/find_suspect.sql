-- A due delivery that nodes died over three times, to be sent alone: one row of id, webhook id. Of a fifo webhook only
-- its head. Leans on delivery_suspect, and on delivery_fifo for the head.
select suspect.id, suspect.webhook_id
from delivery suspect indexed by delivery_suspect
cross join webhook on webhook.id = suspect.webhook_id
where
  suspect.state = 1 and suspect.orphan_count >= 3
  and suspect.node = 0 and suspect.next_attempt_at <= :now
  and webhook.status in (1, 2)
  and webhook.sweep_reason is null and webhook.is_frozen = 0
  and webhook.application_id not in (select value from json_each(:applications))
  and (
    :profiles = '[]'
    or not exists (
      select 1 from application
      where
        application.id = webhook.application_id
        and application.profile in (select value from json_each(:profiles))
    )
  )
  and webhook.id not in (select value from json_each(:skip))
  and (
    suspect.is_fifo = 0
    or suspect.id = (
      select head.id from delivery head indexed by delivery_fifo
      where head.state = 1 and head.is_fifo = 1 and head.webhook_id = suspect.webhook_id
      order by head.id limit 1
    )
  )
order by suspect.id
limit 1
