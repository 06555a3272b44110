import type { WireHealth, WireMetrics, WireStorage } from './settings-api.ts';
import { count, plural, size } from './text.ts';

/** How one part of the storage is doing, and what to do about it. */
export interface StorageCheck {
  readonly name: string;
  readonly value: string;
  readonly tone: 'ok' | 'warning' | 'error';
  readonly fix?: string;
  /** To be run where the server runs. */
  readonly command?: string;
}

export interface StorageFacts {
  readonly health: WireHealth | null;
  readonly storage: WireStorage;
  readonly metrics: WireMetrics;
}

/** Below this part of the disk, or these bytes, it is time to make room. */
const LOW_DISK = 0.1;
const LOW_DISK_BYTES = 1e9;
/** A WAL that has grown to this is held up by a reader that stays. */
const LARGE_WAL_BYTES = 256 * 1024 * 1024;

/** Every part that is switched on, the worst first. */
export function storageChecks({ health, storage, metrics }: StorageFacts): readonly StorageCheck[] {
  const checks = [
    commits(health),
    disk(storage),
    limit(storage),
    wal(storage),
    spool(storage),
    lost(storage),
    directories(metrics),
    dead(metrics),
    redis(health),
  ].filter((check) => check !== undefined);
  const order = { error: 0, warning: 1, ok: 2 } as const;
  return checks.sort((a, b) => order[a.tone] - order[b.tone]);
}

export function worstTone(checks: readonly StorageCheck[]): StorageCheck['tone'] {
  return (
    checks.find(({ tone }) => tone === 'error')?.tone ?? checks.find(({ tone }) => tone === 'warning')?.tone ?? 'ok'
  );
}

function commits(health: WireHealth | null): StorageCheck | undefined {
  if (health === null) return undefined;
  const name = 'Storing';
  if (health.status === 'healthy') return { name, value: 'Lines are stored as they come', tone: 'ok' };
  return {
    name,
    value: 'Storage full, ingest refused: the server cannot commit',
    tone: 'error',
    fix: 'Make room on the disk that the data lies on, or let it be written again. The server goes on by itself; until then senders are refused and keep what they have.',
    command: 'df -h "$TASKTRAIL_DATA_DIR"',
  };
}

function disk({ disk_bytes: all, disk_free_bytes: free }: WireStorage): StorageCheck | undefined {
  if (all === null || free === null) return undefined;
  const low = free < Math.min(all * LOW_DISK, 10 * LOW_DISK_BYTES) || free < LOW_DISK_BYTES;
  const facts = { name: 'Disk', value: `${size(free)} free of ${size(all)}` };
  if (!low) return { ...facts, tone: 'ok' };
  return {
    ...facts,
    tone: 'warning',
    fix: 'Delete old tasks under Retention, or set a disk limit: when the disk is full, lines are refused.',
    command: 'tasktrail prune --dry-run',
  };
}

function limit({ bytes, file_bytes: files, max_bytes: max }: WireStorage): StorageCheck | undefined {
  if (max === 0) return undefined;
  const used = bytes + files;
  const facts = { name: 'Disk limit', value: `${size(used)} of ${size(max)}` };
  if (used <= max) return { ...facts, tone: 'ok' };
  return {
    ...facts,
    tone: 'warning',
    fix: 'The tasks that ended first go within the hour, unless they are pinned. If it stays so, what runs or is pinned takes the room.',
  };
}

function wal({ wal_bytes: bytes }: WireStorage): StorageCheck | undefined {
  if (bytes === null) return undefined;
  const facts = { name: 'WAL', value: size(bytes) };
  if (bytes < LARGE_WAL_BYTES) return { ...facts, tone: 'ok' };
  return {
    ...facts,
    tone: 'warning',
    fix: 'Another program reads the database and does not let go, so that what is committed cannot be moved into it. End that program.',
    command: 'fuser "$TASKTRAIL_DATA_DIR/tasktrail.db"',
  };
}

function spool({ spool_batches: batches }: WireStorage): StorageCheck | undefined {
  if (batches === null) return undefined;
  const name = 'Spool';
  if (batches === 0) return { name, value: 'Nothing waits to be delivered', tone: 'ok' };
  return {
    name,
    value: batches === 1 ? '1 batch of tasktrail run waits' : `${count(batches)} batches of tasktrail run wait`,
    tone: 'warning',
    fix: 'They are sent by the next tasktrail run, or when the server starts.',
  };
}

function lost({ lost: lines }: WireStorage): StorageCheck {
  const name = 'Lost lines';
  if (lines === 0) return { name, value: 'None', tone: 'ok' };
  return {
    name,
    value: `${plural(lines, 'line')} could not be kept since the beginning`,
    tone: 'warning',
    fix: 'Each gap is marked in its task. Lines are lost when a program writes faster than it can hand over.',
  };
}

function directories({ directory_failures_total: failures }: WireMetrics): StorageCheck | undefined {
  if (failures === null) return undefined;
  const name = 'Task directories';
  if (failures === 0) return { name, value: 'Every write worked since the start', tone: 'ok' };
  return {
    name,
    value: `${count(failures)} writes failed since the start`,
    tone: 'warning',
    fix: 'The reason is in the log of the server. The lines are safe in the database; stop the server and mend the files.',
    command: 'tasktrail check --repair',
  };
}

function dead({ dead: events }: WireMetrics): StorageCheck | undefined {
  if (events === null) return undefined;
  const name = 'Dead letters';
  if (events === 0) return { name, value: 'None', tone: 'ok' };
  return {
    name,
    value: `${plural(events, 'event')} could not be applied`,
    tone: 'warning',
    fix: 'Look why, then put them back into the stream.',
    command: 'tasktrail redis dead list\ntasktrail redis dead replay --all',
  };
}

function redis(health: WireHealth | null): StorageCheck | undefined {
  if (health === null || health.redis === null) return undefined;
  const facts = { name: 'Redis', value: health.redis };
  if (health.redis === 'connected') return { ...facts, tone: 'ok' };
  return { ...facts, tone: 'warning', fix: 'Tasks are taken and kept; what waits starts when Redis is back.' };
}
