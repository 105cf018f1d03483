"""What the vendors have published: bodies as documented, byte for byte."""

# One to a line, as the vendor documents them.
BRIDGE_BODIES = [
    '{"content":{"user_uuid":"766b2f5d-a942-492c-9ea7-2e5aa88cb672"},"timestamp":1612782588323,"type":"user.deleted"}',
    '{"content":{"item_id":4568477,"user_uuid":"766b2f5d-a942-492c-9ea7-2e5aa88cb672"},"timestamp":1612782588323,"type":"item.created"}',
    '{"content":{"account_types":"payment","full_refresh":false,"refresh_trigger":"scheduler","item_id":4568565,"status_code":0,"status_code_info":"ok","authentication_expires_at":"2025-09-04T10:25:35Z","user_uuid":"766b2f5d-a942-492c-9ea7-2e5aa88cb672"},"timestamp":1612783550980,"type":"item.refreshed"}',
    '{"content":{"account_id":22908770,"balance":1678.12,"item_id":4568477,"user_uuid":"766b2f5d-a942-492c-9ea7-2e5aa88cb672"},"timestamp":1612782588323,"type":"item.account.created"}',
    '{"content":{"account_id":22908770,"balance":1678.12,"item_id":4568477,"nb_deleted_transactions":0,"nb_new_transactions":15,"nb_updated_transactions":0,"user_uuid":"766b2f5d-a942-492c-9ea7-2e5aa88cb672"},"timestamp":1612782588323,"type":"item.account.updated"}',
    '{"content":{"payment_transaction_id":"15e04e47-7391-4b58-bc98-a334a4e7ad13","payment_request_id":"rto4e47-201-4b58-bc98-a924a4e7ad12","payment_link_id":"rto4e47-201-4b58-bc98-a924a4e7ad12","client_reference":"INV124","end_to_end_id":"REF1234","status":"ACSC","status_reason":"MS03"},"timestamp":1612783550980,"type":"payment.transaction.updated"}',
    '{"content":{"payment_link_id":"64e61033-be1e-4dd3-9564-f03e8a5b6874","payment_link_status":"completed","payment_link_client_reference":"INV124","payment_link_fund_status":"paid"},"timestamp":1644507383234,"type":"payment.link.updated"}',
]

TEST_EVENT = (
    b'{"content":{"item_id":1234567890,"status":0,"user_uuid":"9a95b38f-f98b-417a-988b-9d0d584893e7"},'
    b'"timestamp":1611681789,"type":"TEST_EVENT"}'
)
