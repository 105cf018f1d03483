"""What the vendors' documents list: each event type, and the keys that its content is known to have."""

from typing import Final

_TRANSACTION = "payment_transaction_id payment_request_id payment_link_id client_reference end_to_end_id"
BRIDGE_API: Final[dict[str, str]] = {
    "user.deleted": "user_uuid",
    "item.created": "item_id user_uuid",
    "item.refreshed": (
        "account_types full_refresh refresh_trigger item_id status_code status_code_info authentication_expires_at"
        " user_uuid"
    ),
    "item.deleted": "item_id user_uuid",
    "item.account.created": "account_id balance item_id user_uuid",
    "item.account.updated": (
        "account_id balance item_id nb_deleted_transactions nb_new_transactions nb_updated_transactions user_uuid"
    ),
    "item.account.deleted": "account_id item_id user_uuid",
    "payment.transaction.created": _TRANSACTION,
    "payment.transaction.updated": (
        f"{_TRANSACTION} status status_reason payment_account_transaction_id payment_account_transaction_status"
    ),
    "payment.link.updated": (
        "payment_link_id payment_link_status payment_link_client_reference payment_status payment_link_fund_status"
    ),
}

_CHANGING = ("created", "updated")
_WITH_STATUS = (*_CHANGING, "updated.status_transitioned")
_XYZ: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "customer": ((*_WITH_STATUS, "deleted"), "id status"),
    "kyc_link": (_WITH_STATUS, "id type email tos_status kyc_status customer_id"),
    "liquidation_address.drain": (_WITH_STATUS, "id state"),
    "transfer": (_WITH_STATUS, "id state amount currency"),
    "card_account": (_WITH_STATUS, "id status"),
    "card_transaction": (
        _WITH_STATUS,
        (
            "id card_account_id customer_id amount billing_amount currency category status created_at merchant_name"
            " merchant_category_code"
        ),
    ),
    "card_withdrawal": (_WITH_STATUS, "id status"),
    "static_memo.activity": (_CHANGING, "id"),
    "virtual_account.activity": (
        _CHANGING,
        (
            "id type amount source gas_fee currency created_at deposit_id customer_id subtotal_amount "
            "virtual_account_id exchange_fee_amount developer_fee_amount"
        ),
    ),
    "bridge_wallet.activity": (_CHANGING, "id"),
    "external_account": (_CHANGING, "id"),
    "posted_card_account_transaction": (("created",), "id"),
    # Seen, not documented.
    "liquidation_address": (_CHANGING, "id"),
    "virtual_account": (_CHANGING, "id"),
    "rfi": (_CHANGING, "id"),
    "card_dispute": (_CHANGING, "id"),
}
BRIDGE_XYZ: Final = {f"{group}.{verb}": keys for group, (verbs, keys) in _XYZ.items() for verb in verbs}

_EACH = ("created", "updated", "deleted")
_LMS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "user": (
        _EACH,
        (
            "id uid first_name last_name full_name sortable_name name email bio locale roles avatar_url hris_id "
            "hire_date job_title department is_manager unsubscribed deleted_at updated_at links meta"
        ),
    ),
    "enrollment": (
        (*_EACH, "completed"),
        (
            "id course_template end_at expires_at completed_at updated_at progress can_be_removed can_be_made_optional"
            " active required is_permanently_failed is_archived score state"
        ),
    ),
    "course_template": (
        _EACH,
        (
            "id title course_type external_status estimated_time passing_threshold enrollments_count has_certificate"
            " published published_at library_item program_ids tags"
        ),
    ),
    "live_course": (
        _EACH,
        (
            "id title author_id created_at updated_at deleted_at description sessions_count enrollments_count "
            "is_published external_course_id has_certificate expires default_days_until_expiration"
        ),
    ),
    "live_course_session_registration": (
        _EACH,
        "id live_course_session_id name avatar_url marked_complete_at start_at created_at updated_at deleted_at",
    ),
    "program": (
        _EACH,
        (
            "id title course_count unfinished_learners_count next_due_at overdue_learners_count is_published "
            "publishable has_unpublished_changes assignment_period sub_account items"
        ),
    ),
}
BRIDGE_LMS: Final = {f"{group}.{verb}": keys for group, (verbs, keys) in _LMS.items() for verb in verbs}

BY_PROFILE: Final = {"bridge-api": BRIDGE_API, "bridge-lms": BRIDGE_LMS, "bridge-xyz": BRIDGE_XYZ}
