"""A lecture in scenes: each a question, a picture of a run, and a reveal whose numbers are that
run's. What a scene says, in each language, is in wording/en/scenes.md."""
