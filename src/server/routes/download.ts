import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { Type } from 'typebox';
import { csvRow } from '../../core/csv.ts';
import { withoutEscapes } from '../../core/escapes.ts';
import type { StoreReader } from '../../core/ports.ts';
import type { WireEntry } from '../../core/wire.ts';
import { readFilter } from '../../query/filter.ts';
import { pages, type Walk } from '../../query/page.ts';
import type { Routes } from '../context.ts';
import { wireEntries } from '../marked.ts';
import { answers, DownloadQuery, TaskParams } from '../schemas.ts';
import { sendText } from '../stream.ts';

interface Format {
  readonly contentType: string;
  readonly extension: string;
  readonly head: string;
  line(entry: WireEntry): string;
}

const COLUMNS = ['timestamp', 'level', 'source', 'stream', 'type', 'seq', 'message', 'metadata'] as const;
const FORMATS: Readonly<Record<'text' | 'jsonl' | 'csv', Format>> = {
  text: {
    contentType: 'text/plain; charset=utf-8',
    extension: 'log',
    head: '',
    line: ({ timestamp, level, source, message }) => `${timestamp} ${level} [${source}] ${setIn(message)}\n`,
  },
  jsonl: {
    contentType: 'application/x-ndjson; charset=utf-8',
    extension: 'jsonl',
    head: '',
    line: (entry) => `${JSON.stringify(entry)}\n`,
  },
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: csvRow(COLUMNS),
    line: (entry) => csvRow(COLUMNS.map((column) => entry[column])),
  },
};

/** All lines that pass the filters, as a file. */
export const downloadRoutes: Routes = (scope, { store, streams }) => {
  scope.get(
    '/:task_id/logs/download',
    {
      schema: {
        tags: ['lines'],
        summary: 'Download lines as a file',
        produces: Object.values(FORMATS).map(({ contentType }) => contentType.split(';')[0] ?? contentType),
        params: TaskParams,
        querystring: DownloadQuery,
        response: answers({ 200: Type.String() }),
      },
    },
    async (request, reply) => {
      const {
        params: { task_id: taskId },
        query,
      } = request;
      const format = FORMATS[query.format ?? 'text'];
      const walk = { filter: readFilter(query), before: (await store.task(taskId)).log.lastSeq + 1 };
      streams.enter(request, reply.raw);
      const text = fileText(store, taskId, walk, query.ansi === 'strip' ? stripped(format) : format);
      const name = `${fileName(taskId)}.${format.extension}${query.gzip ? '.gz' : ''}`;
      reply.header('content-disposition', `attachment; filename="${name}"`);
      if (!query.gzip) return sendText(reply.type(format.contentType), text);
      return reply.type('application/gzip').send(compressed(text));
    },
  );
};

/** The same without colours. */
function stripped(format: Format): Format {
  return { ...format, line: (entry) => format.line({ ...entry, message: withoutEscapes(entry.message) }) };
}

/** A fault on the way cuts the answer, so that no one takes a part for the whole. */
function compressed(text: AsyncGenerator<string>): Readable {
  const gzip = createGzip();
  pipeline(Readable.from(text, { objectMode: false }), gzip, () => undefined);
  return gzip;
}

/** Further lines of a message are set in, so that none can pass for a line of its own. */
function setIn(message: string): string {
  return message.replace(/\r\n|[\n\r\u2028\u2029]/g, '\n    ');
}

async function* fileText(store: StoreReader, taskId: string, walk: Walk, format: Format): AsyncGenerator<string> {
  yield format.head;
  for await (const page of pages(store, taskId, walk)) {
    yield wireEntries(page).map(format.line).join('');
  }
}

/** A task id may have colons, which some file systems refuse. */
function fileName(taskId: string): string {
  return taskId.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}
