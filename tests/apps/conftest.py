import pytest

from tests.apps.text_batch import make_jobs


@pytest.fixture
def jobs(tmp_path):
    return make_jobs(tmp_path, 5)
