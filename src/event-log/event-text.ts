// The bytes of an event as text. The log's own are buffers already, and others are looked at where they are: nothing is
// copied but into the text, because this is done for every event that is read.

/** @param bytes UTF-8; what is none becomes the replacement character */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}
