/** What has to be looked at: services as a whole, single slots, updates; each once, however often it is marked. */
import type { ServiceMarks, SlotMark } from './service-plan.ts';

const NO_SLOTS: ReadonlyMap<string, SlotMark> = new Map();

export class Attention {
  readonly #whole = new Set<string>();
  readonly #slots = new Map<string, Map<string, SlotMark>>();

  get isEmpty(): boolean {
    return this.#whole.size === 0 && this.#slots.size === 0;
  }

  /** Marks everything about a service. */
  service(serviceId: string): void {
    this.#whole.add(serviceId);
  }

  /** Marks the update of a service. */
  update(serviceId: string): void {
    this.#slotsOf(serviceId);
  }

  slot(serviceId: string, mark: SlotMark): void {
    const slots = this.#slotsOf(serviceId);
    const known = slots.get(mark.key);
    slots.set(mark.key, known?.nodeChanged ? { ...mark, nodeChanged: true } : mark);
  }

  /** Takes the marks of one service after the other, those to be looked at as a whole first; what is not asked for stays. */
  *take(): Generator<readonly [serviceId: string, marks: ServiceMarks]> {
    for (const serviceId of this.#whole) {
      const slots = this.#slots.get(serviceId) ?? NO_SLOTS;
      this.#whole.delete(serviceId);
      this.#slots.delete(serviceId);
      // Slots marked for a change of their node keep that mark beside a look at the whole service.
      yield [serviceId, { whole: true, slots: [...slots.values()].filter((mark) => mark.nodeChanged) }];
    }
    for (const [serviceId, slots] of this.#slots) {
      this.#slots.delete(serviceId);
      yield [serviceId, { whole: false, slots: [...slots.values()] }];
    }
  }

  #slotsOf(serviceId: string): Map<string, SlotMark> {
    let slots = this.#slots.get(serviceId);
    if (!slots) this.#slots.set(serviceId, (slots = new Map()));
    return slots;
  }
}
