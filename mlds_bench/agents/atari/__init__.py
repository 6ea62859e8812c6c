"""Reference agents of the Atari room: pictures in, a joystick action out."""
