"""The whole hub in one process, on virtual time, from one seed: real flows, store, codecs and signatures, no sockets."""
