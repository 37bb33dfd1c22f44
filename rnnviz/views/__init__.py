"""What each page says of a run, computed, and the pictures and words that say it. No Streamlit.

Each page has a module with three things: a frozen `Choices` (what of the run is to be shown),
`view(run, choices) -> View` and `pictures(view)`. A `View` is small, frozen and can be pickled;
it holds no arrays of a trace. A page, a notebook and a file draw the same pictures.
"""
