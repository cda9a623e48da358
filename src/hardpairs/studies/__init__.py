"""Several trainings compared, with statistics."""
