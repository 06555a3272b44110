import assert from 'node:assert/strict';
import test from 'node:test';
import { levelOfText } from '../../src/capture/level.ts';

const LINES: Readonly<Record<string, readonly string[]>> = {
  ERROR: [
    'ERROR: disk full',
    'error: cannot find module',
    'Error: boom',
    'error[E0308]: mismatched types',
    '[ERROR] build failed',
    '[error] build failed',
    'npm ERR! code E404',
    'npm error code E404',
    '2026-01-24T10:00:00.000Z ERROR db: gone',
    '2026-01-24 10:00:00,123 [main] ERROR com.acme.Main - gone',
    '[10:00:00.123] ERROR (4711): gone',
    'level=error msg="gone"',
    'time="2026-01-24" level=fatal msg=gone',
    '{"level":"error","msg":"gone"}',
    '{"level":50,"time":1,"msg":"gone"}',
    '{"severity":"CRITICAL","message":"gone"}',
    'FATAL out of memory',
    'CRITICAL:root:gone',
    'E0124 10:00:00.000000 1 main.go:1] gone',
    '\u001b[31merror\u001b[0m: gone',
    '\u001b[1;31m[ERROR]\u001b[0m gone',
  ],
  WARNING: [
    'warning: unused variable',
    'WARN deprecated',
    '[warn] deprecated',
    'npm warn deprecated x@1',
    'npm WARN deprecated x@1',
    'WARNING:root:careful',
    '2026-01-24T10:00:00Z  WARN app: careful',
    '(warning) careful',
    'lvl=warn msg=careful',
    '{"level":40,"msg":"careful"}',
    'W0124 10:00:00.000000 1 main.go:1] careful',
    '[2026-01-24T10:00:00Z WARN  app] careful',
  ],
  DEBUG: ['DEBUG x=1', '[debug] x=1', 'debug: x=1', 'trace: x=1', 'level=debug msg=x', '{"level":20,"msg":"x"}'],
  INFO: [
    'hello',
    '',
    'INFO ready',
    '[info] ready',
    '0 errors found',
    'no error',
    'Compiled with 2 warnings',
    'Error handling is covered in chapter 4',
    'errors: 0',
    'information: none',
    'the WARNING light is on',
    'Found 0 vulnerabilities, no errors',
    'debugger listening on port 1',
    '{"level":"warm"}',
    '{not json "level":"error"}',
    '{"msg":"level: error"}',
    'src/error.ts: 12 lines',
    'test error.test.ts passed',
    'Errno 0',
    'Infos follow',
    'terror: a novel',
  ],
};

for (const [level, lines] of Object.entries(LINES)) {
  test(`a line is ${level} when its text says so, and only then`, () => {
    for (const line of lines) assert.equal(levelOfText(line), level, line);
  });
}

test('a level far into a long line is not looked for, and hostile lines cost no time', () => {
  assert.equal(levelOfText(`${'x'.repeat(300)} ERROR: late`), 'INFO');
  const units = ['- ', '| ', '[a] ', '(1) ', '1:', '1 ', '[', '(', '[warn', 'err ', '- [a] ', '1 - (2) | ', '[ 1:'];
  for (const unit of units) {
    for (const end of ['information', 'error', ': x', '']) {
      for (const length of [30, 60, 198, 100_000]) {
        const line = unit.repeat(Math.ceil(length / unit.length)).slice(0, length) + end;
        // The machine may be busy with something else for a moment, but not each time.
        const tookMs = Math.min(...Array.from({ length: 3 }, () => timeOf(() => levelOfText(line))));
        assert.ok(tookMs < 20, `${tookMs} ms for ${JSON.stringify(line.slice(0, 60))}`);
      }
    }
  }
});

function timeOf(work: () => unknown): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}
