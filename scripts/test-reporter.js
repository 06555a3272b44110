import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

/** The runner's `spec` report without the tests that passed: what failed, what was skipped and why, and the closing counts. */
export default async function* report(events) {
  yield* Readable.from(worthReading(events)).pipe(new spec());
}

async function* worthReading(events) {
  for await (const event of events) {
    const { type, data } = event;
    if (type === 'test:start') continue;
    if (type === 'test:pass' && data.skip === undefined && data.todo === undefined) continue;
    // `spec` pairs each result with the start before it.
    if (type === 'test:pass' || type === 'test:fail') yield { type: 'test:start', data };
    yield event;
  }
}
