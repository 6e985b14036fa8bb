"""A digital head: anatomy, scanners and their files – and no part of Fuseline itself."""
