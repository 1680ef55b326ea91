import numpy as np
import torch
from scipy.stats import kstest

from balmi.networks.balancing.hashing import KEY_SIZE, hashed_normals, mixed, replica_keys


def test_keys_are_the_random_bits_of_the_first_sample():
    noise = torch.tensor([[[0.5, 0.25], [0.1, 0.1]], [[0.0, 1 - 2**-24], [0.9, 0.9]]])
    expected = [[KEY_SIZE // 2, KEY_SIZE // 4], [0, KEY_SIZE - 1]]
    assert replica_keys(noise).tolist() == expected
    assert replica_keys(noise.double()).tolist() == expected


def test_mixing_equals_the_same_hash_in_unsigned_arithmetic():
    words = np.array([0, 1, 2, 12345, 2**31, 2**32 - 1], dtype=np.uint32)
    expected = words.copy()
    expected ^= expected >> 16
    expected *= np.uint32(0x7FEB352D)
    expected ^= expected >> 15
    expected *= np.uint32(0x846CA68B)
    expected ^= expected >> 16
    assert mixed(torch.from_numpy(words.astype(np.int64))).tolist() == expected.tolist()


def test_numbers_are_normal_and_independent_of_key_stream_and_place():
    keys = torch.tensor([[1, 2], [1, 3], [7, 2]])
    first, second = (hashed_normals(keys, stream, 500, 40).reshape(3, -1) for stream in (1, 2))
    every = torch.cat([first, second]).numpy()
    for row in every:
        assert kstest(row, "norm").pvalue > 0.001
    neighbours = np.stack([every[:, :-1].ravel(), every[:, 1:].ravel()])
    assert abs(np.corrcoef(neighbours)[0, 1]) < 0.01
    correlation = np.corrcoef(every)[np.triu_indices(6, 1)]
    assert np.abs(correlation).max() < 4 / np.sqrt(every.shape[1])


def test_neither_company_nor_padding_changes_a_number():
    keys = torch.tensor([[1, 2], [3, 4]])
    wide = hashed_normals(keys, 5, 9, 4)
    torch.testing.assert_close(hashed_normals(keys[1:], 5, 6, 4), wide[1:, :6], rtol=0, atol=0)
