"""What `manage.py run` starts and supervises."""
