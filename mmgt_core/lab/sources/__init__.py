"""The models under test as what measurements ask for: motion from sound, images from motion."""
