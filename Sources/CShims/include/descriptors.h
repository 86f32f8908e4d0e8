#ifndef CSHIMS_DESCRIPTORS_H
#define CSHIMS_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>

/// Sends bytes over a connected UNIX stream socket, with descriptors (SCM_RIGHTS) that travel with the first byte.
/// `count` 0 is a plain send. Never SIGPIPE, never blocks (EAGAIN). Returns the bytes the kernel took, which can be fewer
/// than `length` (the descriptors have left with them all the same), or -errno. EINVAL: descriptors without a byte, or
/// more than the 253 that Linux takes at once.
ssize_t fermata_send_fds(int socket, const void *data, size_t length, const int *descriptors, size_t count);

/// Receives bytes and up to `capacity` descriptors, each close-on-exec and the caller's to close; `count` says how many
/// came. Does not block (EAGAIN). Returns the bytes, 0 at the end of the stream, or -errno. EMSGSIZE: more descriptors
/// came than fit; those that did are closed again.
ssize_t fermata_recv_fds(int socket, void *data, size_t length, int *descriptors, size_t capacity, size_t *count);

/// The process at the other end of a UNIX socket: for a client, who called listen(). -ENODATA when the kernel does not
/// say (TCP, or another process id namespace), or another -errno.
pid_t fermata_peer_pid(int socket);

/// A close-on-exec duplicate of a descriptor of another process (ptrace rights are needed), or -errno.
int fermata_pidfd_getfd(int pidfd, int descriptor);

/// Moves what comes out of a pipe to the end of a file, without the bytes passing through this process; blocks until there is
/// something. Returns how many it moved, 0 at the end of the pipe, or -errno.
ssize_t fermata_splice(int pipe, int file, size_t length);

#endif
