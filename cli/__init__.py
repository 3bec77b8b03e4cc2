"""What ./quire runs in a container: import, ask, login. Talks to the public HTTP interface only."""
