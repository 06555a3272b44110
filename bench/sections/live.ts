import { FLUSH_MS } from '../../src/core/limits.ts';
import { atMost, type Row, type Section, shown } from '../section.ts';

const MS = shown(' ms', 1);
const AIM = atMost(2 * FLUSH_MS + 10, ' ms');
const FEW = '50 viewers, 1,000 lines/s';
const MANY = '200 viewers, 10,000 lines/s';
const SSE = '50 viewers by SSE, 1,000 lines/s';
const BARE_FEW = `bare, ${FEW}`;
const BARE_MANY = `bare, ${MANY}`;

export const live: Section = {
  name: 'live',
  title: 'From a POST to its viewers',
  about: `
Lines of 104 characters come by HTTP in requests of 20 ms (1,000 lines/s) or 10 ms (10,000 lines/s) for 10 s; all viewers follow their task by
WebSocket. A latency is the time from the start of a request until a viewer has the frame with its last line: the commit with its fsync
lies between. Every viewer checks that each line comes once and in order. Load, server and viewers are processes of their own on the same
machine, and their shares of its cores are shown. Beside it a bare server that sends each body on to its sockets as it comes, and
stores nothing: what the sockets alone cost.
`,
  rounds: 3,
  variants: [
    { name: FEW, script: 'live.ts', args: ['ours', 'ws', '50', '1000'], directories: true },
    { name: MANY, script: 'live.ts', args: ['ours', 'ws', '200', '10000'], directories: true },
    { name: SSE, script: 'live.ts', args: ['ours', 'sse', '50', '1000'], directories: true, rounds: 1 },
    { name: BARE_FEW, script: 'live.ts', args: ['bare', 'ws', '50', '1000'] },
    { name: BARE_MANY, script: 'live.ts', args: ['bare', 'ws', '200', '10000'] },
  ],
  rows: [...rowsOf(FEW, true), ...rowsOf(MANY, true), ...rowsOf(SSE, true), ...rowsOf(BARE_FEW), ...rowsOf(BARE_MANY)],
};

function rowsOf(variant: string, ours = false): Row[] {
  const peer = ours ? {} : ({ peer: true } as const);
  const row = (what: string, figure: string, show: Row['show']): Row => ({
    ...{ what, show, value: (median) => median(variant, figure) },
    ...peer,
  });
  return [
    row(`${variant}: p50`, 'p50Ms', MS),
    {
      ...row(`${variant}: p99`, 'p99Ms', MS),
      ...(ours && {
        aim: AIM,
        bounds: 'load, server and viewers share two cores, and a late fsync delays all that wait for it.',
      }),
    },
    row('… most', 'maxMs', MS),
    row('… cores of the server', 'serverCores', shown('', 2)),
    row('… cores of the viewers', 'viewersCores', shown('', 2)),
    row('… most memory of the server', 'mostRssMb', shown(' MB')),
  ];
}
