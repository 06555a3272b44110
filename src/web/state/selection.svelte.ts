import { SvelteSet } from 'svelte/reactivity';
import type { WireTask } from '../../core/wire.ts';

/** The tasks that something is to be done with, and the one that keys act on. Both stay with their task however the list changes. */
export class TaskSelection {
  /** The task that keys act on. */
  cursor = $state<string | null>(null);
  readonly ids = new SvelteSet<string>();
  readonly #tasks: () => readonly WireTask[];
  /** Where a range begins. */
  #anchor: string | null = null;

  constructor(tasks: () => readonly WireTask[]) {
    this.#tasks = tasks;
  }

  get current(): WireTask | undefined {
    return this.#tasks().find((task) => task.task_id === this.cursor);
  }

  /** The chosen tasks of the list, in its order. */
  get tasks(): readonly WireTask[] {
    return this.#tasks().filter((task) => this.ids.has(task.task_id));
  }

  get all(): boolean {
    const tasks = this.#tasks();
    return tasks.length > 0 && tasks.every((task) => this.ids.has(task.task_id));
  }

  /** Go on by so many rows, from the first one when none is current. Answers the row. */
  move(by: number): number {
    const tasks = this.#tasks();
    const at = this.#place(this.cursor);
    const next = Math.max(0, Math.min(tasks.length - 1, at < 0 ? 0 : at + by));
    this.cursor = tasks[next]?.task_id ?? null;
    return next;
  }

  toggle(taskId: string): void {
    if (!this.ids.delete(taskId)) this.ids.add(taskId);
    this.#anchor = taskId;
  }

  /** Everything from where the last one was chosen to this one. */
  extend(taskId: string): void {
    const [from, to] = [this.#place(this.#anchor), this.#place(taskId)];
    if (from < 0) this.toggle(taskId);
    else for (const task of this.#tasks().slice(Math.min(from, to), Math.max(from, to) + 1)) this.ids.add(task.task_id);
  }

  toggleAll(): void {
    if (this.all) this.clear();
    else for (const task of this.#tasks()) this.ids.add(task.task_id);
  }

  /** Tasks that left the list are chosen no more: nobody sees them. */
  prune(): void {
    for (const id of this.ids) if (this.#place(id) < 0) this.ids.delete(id);
  }

  clear(): void {
    this.ids.clear();
    this.#anchor = null;
  }

  #place(taskId: string | null): number {
    return this.#tasks().findIndex((task) => task.task_id === taskId);
  }
}
