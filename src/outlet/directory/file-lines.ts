import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Longest line that is read. The longest that we write is a message and its metadata, every character of them escaped. */
const LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** One line of a file, or why it cannot be read. A line that the file ends in, without a newline, is torn. */
export interface FileLine {
  /** From 1 on. */
  readonly number: number;
  readonly text: string | null;
  readonly torn: boolean;
  readonly reason?: string;
}

/** The lines of a file, compressed when its name ends in `.gz`. A file that is not there has none; a link is not followed. */
export async function* fileLines(path: string): AsyncGenerator<FileLine> {
  let number = 0;
  try {
    for await (const { bytes, torn } of cutLines(chunksOf(path))) yield lineOf(bytes, ++number, torn);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    yield {
      number: number + 1,
      text: null,
      torn: true,
      reason: `the file cannot be read further (${code ?? message})`,
    };
  }
}

function lineOf(bytes: Buffer | null, number: number, torn: boolean): FileLine {
  if (bytes === null) return { number, text: null, torn, reason: `longer than ${LINE_BYTES} bytes` };
  if (!isUtf8(bytes)) return { number, text: null, torn, reason: 'not UTF-8' };
  return { number, text: bytes.toString(), torn };
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stream = file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 });
    if (!path.endsWith('.gz')) yield* stream;
    // What is wrong with the source is thrown where the lines are taken from.
    else yield* pipeline(stream, createGunzip(), () => {});
  } finally {
    await file.close();
  }
}

/** Cut at newlines; a line that is too long becomes null. */
async function* cutLines(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly bytes: Buffer | null; readonly torn: boolean }> {
  let parts: Buffer[] = [];
  let size = 0;
  const taken = (): Buffer | null => {
    const bytes = size > LINE_BYTES ? null : Buffer.concat(parts);
    parts = [];
    size = 0;
    return bytes;
  };
  const add = (part: Buffer): void => {
    size += part.length;
    if (size <= LINE_BYTES) parts.push(part);
    else parts = [];
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at));
      yield { bytes: taken(), torn: false };
      from = at + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (size > 0) yield { bytes: taken(), torn: true };
}
