-- Tells an application's webhooks that they are frozen, or are not. Leans on webhook_application.
update webhook set is_frozen = :frozen_at is not null where application_id = :id and status <> 4
