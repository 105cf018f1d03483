-- When each kind of notice was last made of webhooks. Leans on notice_webhook.
select webhook_id, kind, max(created_at) from notice where webhook_id = any(%s::bigint[]) group by webhook_id, kind
