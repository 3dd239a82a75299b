/** Imported first, it makes the tests that are imported after it use stores on a disk that has to be waited for. Their child processes, too. */
process.env['PHIAL_TEST_DISK'] = 'remote'
