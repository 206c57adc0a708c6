"""The ground all else stands on: questions with names, progress, one worker, and a store that knows no torch."""
