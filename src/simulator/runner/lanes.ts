// Which of many requests may run at once: what changes a thing runs alone on it and in order, what only looks at it runs
// after the last change. A node becomes ready when everything it waits for is done; of the ready ones the oldest runs
// first, so that nothing is left behind while newer ones come in.

export interface LaneUse {
  readonly writes: readonly string[];
  readonly reads: readonly string[];
}
class Node<Item extends LaneUse> {
  waitsFor = 0;
  readonly followers: Node<Item>[] = [];
  done = false;
  constructor(
    readonly item: Item,
    readonly order: number,
  ) {}
}
interface Lane<Item extends LaneUse> {
  writer: Node<Item> | undefined;
  readers: Node<Item>[];
}

/** A binary heap by order of arrival. */
class OldestFirst<Item extends LaneUse> {
  readonly #heap: Node<Item>[] = [];

  push(node: Node<Item>): void {
    const heap = this.#heap;
    let place = heap.push(node) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((heap[parent] as Node<Item>).order <= node.order) break;
      heap[place] = heap[parent] as Node<Item>;
      place = parent;
    }
    heap[place] = node;
  }

  pop(): Node<Item> | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (!last || last === top) return top;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && right.order < (heap[child] as Node<Item>).order) child += 1;
      if ((heap[child] as Node<Item>).order >= last.order) break;
      heap[place] = heap[child] as Node<Item>;
      place = child;
    }
    heap[place] = last;
    return top;
  }
}

export class Lanes<Item extends LaneUse> {
  readonly #lanes = new Map<string, Lane<Item>>();
  readonly #nodes = new Map<Item, Node<Item>>();
  readonly #ready = new OldestFirst<Item>();
  #added = 0;

  /** Taken in, not finished. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Items come in their order; that order is kept on everything they share. */
  add(item: Item): void {
    const node = new Node(item, this.#added);
    this.#added += 1;
    this.#nodes.set(item, node);
    for (const name of item.reads) {
      const lane = this.#lane(name);
      this.#follow(node, lane.writer);
      lane.readers.push(node);
    }
    for (const name of item.writes) {
      const lane = this.#lane(name);
      this.#follow(node, lane.writer);
      for (const reader of lane.readers) this.#follow(node, reader);
      lane.writer = node;
      lane.readers = [];
    }
    if (node.waitsFor === 0) this.#ready.push(node);
  }

  /** The oldest of those that may run. */
  take(): Item | undefined {
    return this.#ready.pop()?.item;
  }

  finish(item: Item): void {
    const node = this.#nodes.get(item);
    if (!node) return;
    node.done = true;
    this.#nodes.delete(item);
    for (const follower of node.followers) {
      follower.waitsFor -= 1;
      if (follower.waitsFor === 0) this.#ready.push(follower);
    }
    for (const name of [...item.writes, ...item.reads]) this.#leave(name, node);
  }

  #lane(name: string): Lane<Item> {
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = { writer: undefined, readers: [] };
      this.#lanes.set(name, lane);
    }
    return lane;
  }
  #follow(node: Node<Item>, before: Node<Item> | undefined): void {
    if (!before || before.done || before === node) return;
    before.followers.push(node);
    node.waitsFor += 1;
  }
  #leave(name: string, node: Node<Item>): void {
    const lane = this.#lanes.get(name);
    if (!lane) return;
    if (lane.writer === node) lane.writer = undefined;
    lane.readers = lane.readers.filter((reader) => reader !== node);
    if (!lane.writer && lane.readers.length === 0) this.#lanes.delete(name);
  }
}
