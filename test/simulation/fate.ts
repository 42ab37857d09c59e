// What befalls processes in a world of one seed: they die between any two awaits, stall for longer than a lease, are closed
// and begun; an operator comes and goes; the code is deployed anew.
import type { World } from './world.js';

/** So long everything goes wrong that can; in so long after that it must have healed. */
const troubleMs = 30_000;
const healMsMax = 120_000;
/** So long nothing may change any more before the end is looked at. */
const quietMs = 4_000;
const processesMax = 4;
const stallMsMax = 15_000;
/** Chance that an await fails. */
const faults = 0.005;

/** Something that must never be. */
export class Violation extends Error {}

/** Where it befalls them. */
export interface Scene {
  /** Begins a process, and adds it. */
  start(): void;
  /** Begins an operator, and adds it. */
  operate(): void;
  /** From now on processes are begun with the next version of the code. */
  deploy(): void;
  /** Looks on, after every await of anybody. @throws what must never be */
  look(): void;
  /** What was to be done in bad times is done. */
  isOver(): boolean;
  /** A process of before the last deployment. */
  isOld(name: string): boolean;
  isSettled(): boolean;
  description(): string;
}

export class Fate {
  isCalm = false;
  private calmSinceMs = 0;
  /** Name → how it is closed; undefined: it ends by itself. */
  private readonly living = new Map<string, (() => void) | undefined>();
  private readonly stalled = new Set<string>();
  private found: unknown;

  constructor(
    private readonly world: World,
    private readonly scene: Scene,
  ) {}

  add(name: string, close?: () => void): void {
    this.living.set(name, close);
  }
  remove(name: string): void {
    this.living.delete(name);
  }

  violated(error: unknown): void {
    this.found ??= error;
  }
  /** Work in the world that must not fail. */
  watch(work: Promise<void>): void {
    void work.catch((error: unknown) => this.violated(error));
  }

  /** Goes on until everything has healed. @throws Violation */
  async live(): Promise<void> {
    const { world, scene } = this;
    scene.start();
    this.watch(this.trouble());
    let settledSinceMs = Number.POSITIVE_INFINITY;
    for (let step = 0; ; step += 1) {
      if (!(await world.step())) this.violated(new Error('nothing goes on'));
      this.mustBeRight();
      if (!this.isCalm && world.nowMs > troubleMs && scene.isOver()) this.calmDown();
      if (!this.isCalm || step % 20 !== 0) continue;
      settledSinceMs = scene.isSettled() ? Math.min(settledSinceMs, world.nowMs) : Number.POSITIVE_INFINITY;
      if (world.nowMs > settledSinceMs + quietMs) return;
      if (world.nowMs < this.calmSinceMs + healMsMax) continue;
      throw this.told(new Error(`it did not heal: ${scene.description()}`));
    }
  }

  private mustBeRight(): void {
    try {
      this.scene.look();
    } catch (error) {
      this.violated(error);
    }
    if (this.found !== undefined) throw this.told(this.found);
  }

  told(error: unknown): Violation {
    const message = error instanceof Error ? error.message : String(error);
    return new Violation(`seed ${this.world.seed}, after ${Math.round(this.world.nowMs)} ms: ${message}`, {
      cause: error,
    });
  }

  private calmDown(): void {
    this.isCalm = true;
    this.calmSinceMs = this.world.nowMs;
    this.world.faults = 0;
    for (const name of this.stalled) this.world.wake(name);
    for (const name of this.living.keys()) if (this.scene.isOld(name)) this.close(name);
    if (this.processes() === 0) this.scene.start();
  }

  private processes(): number {
    return [...this.living.values()].filter((close) => close !== undefined).length;
  }

  private async trouble(): Promise<void> {
    const { world, scene } = this;
    world.faults = faults;
    while (!this.isCalm) {
      await world.sleep('fate', world.random() * 1_000);
      if (this.isCalm) return;
      const awake = [...this.living.keys()].filter((name) => !this.stalled.has(name));
      const one = awake[Math.floor(world.random() * awake.length)];
      const deed = world.random();
      if (one !== undefined && deed < 0.1) this.crash(one);
      else if (one !== undefined && deed < 0.3) void this.stall(one);
      else if (one !== undefined && deed < 0.36) this.close(one);
      else if (deed > 0.36 && deed < 0.6) scene.operate();
      else if (deed > 0.95) scene.deploy();
      if (this.processes() === 0 || (this.processes() < processesMax && world.chance(0.3))) scene.start();
    }
  }

  private async stall(name: string): Promise<void> {
    const { world } = this;
    this.stalled.add(name);
    world.stall(name);
    await world.sleep('fate', world.random() * stallMsMax);
    world.wake(name);
    this.stalled.delete(name);
  }

  private crash(name: string): void {
    this.world.crash(name);
    this.living.delete(name);
  }

  private close(name: string): void {
    const close = this.living.get(name);
    if (!close) return;
    this.living.delete(name);
    close();
  }
}
