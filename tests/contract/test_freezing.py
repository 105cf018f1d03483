"""An application that is being moved elsewhere: nothing is taken in, sent or changed, and then all goes on."""

import pytest

pytestmark = pytest.mark.anyio
