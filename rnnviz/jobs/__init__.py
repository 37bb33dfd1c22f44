"""Work that takes long, done in slices: each job is a frozen value that can be pickled, and

    advance(job, seconds) -> (job, record)

is one slice of it: the job as it is then, and what the slice has found. There is no lock, thread or
session in a job: who calls it decides when, where and for how long. A job that was pickled goes on
bit for bit like one that was not.
"""
