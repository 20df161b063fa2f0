"""What starts and serves the course: report, JupyterLab, demo."""
