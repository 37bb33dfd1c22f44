"""The Streamlit app, the only folder that imports streamlit: `streamlit run app.py`."""
