"""The motion library: folders of motions with tags, animated previews and sound; no index but the files."""
