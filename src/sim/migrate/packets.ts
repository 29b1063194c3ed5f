/** Sizes of a link's buffers. */

/** Packets that fit in the send buffer of a socket: 64 KiB of pages. */
export const SNDBUF_PACKETS = 16;
/** Packets that a wire can have on it altogether. */
export const PACKETS_PER_WIRE = 1024;
