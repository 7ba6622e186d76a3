/** A file in an archive. */
export type ZipEntry = { readonly name: string; readonly content: Uint8Array };

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
/** MediaPipe maps models into memory as they lie in the archive; they must begin at a multiple of this. */
const ALIGNMENT = 16;
/** Extra field that pads, as Android's zipalign writes it. */
const PADDING_FIELD = 0xd935;
/** 1 January 1980, so that the bytes depend on the content only. */
const DATE = 0x21;

/** Returns a zip archive of `entries`, not compressed, each aligned to 16 bytes. Same input, same bytes. Source: PKWARE APPNOTE 4.3. */
export function storedZip(entries: readonly ZipEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const { name, content } of entries) {
    const title = new TextEncoder().encode(name);
    const crc = crc32(content);
    const local = localHeader(title, content.length, { crc, at });
    central.push(centralHeader(title, content.length, { crc, at }));
    parts.push(local, content);
    at += local.length + content.length;
  }
  const centralBytes = central.reduce((sum, header) => sum + header.length, 0);
  return Buffer.concat([...parts, ...central, endRecord(entries.length, centralBytes, at)]);
}

type Place = { readonly crc: number; readonly at: number };

function localHeader(title: Uint8Array, length: number, { crc, at }: Place): Uint8Array {
  const plain = LOCAL_BYTES + title.length;
  const missing = (ALIGNMENT - ((at + plain) % ALIGNMENT)) % ALIGNMENT;
  const padding = missing > 0 && missing < 4 ? missing + ALIGNMENT : missing;
  const header = Buffer.alloc(plain + padding);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(DATE, 12);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(length, 18);
  header.writeUInt32LE(length, 22);
  header.writeUInt16LE(title.length, 26);
  header.writeUInt16LE(padding, 28);
  header.set(title, LOCAL_BYTES);
  if (padding > 0) {
    header.writeUInt16LE(PADDING_FIELD, plain);
    header.writeUInt16LE(padding - 4, plain + 2);
  }
  return header;
}

function centralHeader(title: Uint8Array, length: number, { crc, at }: Place): Uint8Array {
  const header = Buffer.alloc(CENTRAL_BYTES + title.length);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(DATE, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(length, 20);
  header.writeUInt32LE(length, 24);
  header.writeUInt16LE(title.length, 28);
  header.writeUInt32LE(at, 42);
  header.set(title, CENTRAL_BYTES);
  return header;
}

function endRecord(entries: number, centralBytes: number, centralAt: number): Uint8Array {
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(centralBytes, 12);
  end.writeUInt32LE(centralAt, 16);
  return end;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
