"""What the machine can't do is told, and only that."""

import resource

import limits


def test_a_process_has_files_of_its_own_beside_its_connections():
    assert limits.descriptors_lacking(10_000, limit=10_000 + limits.OWN_FILES) is None
    assert "hard limit is 10,511" in limits.descriptors_lacking(10_000, limit=10_000 + limits.OWN_FILES - 1)


def test_a_proxy_spends_two_descriptors_on_a_connection():
    assert limits.descriptors_lacking(10_000, limit=20_000) is None
    assert "needs 20,512 open files" in limits.descriptors_lacking(10_000, each=2, limit=20_000)


def test_without_a_limit_nothing_lacks():
    assert limits.descriptors_lacking(10**9, limit=resource.RLIM_INFINITY) is None


def test_a_disk_that_is_too_small_is_named(tmp_path):
    assert limits.disk_lacking(str(tmp_path), 1) is None
    assert "GB of disk" in limits.disk_lacking(str(tmp_path), 10**18)
