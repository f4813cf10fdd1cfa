/** What has to be looked at: services as a whole, single slots, updates; each once, however often it is marked. */
import type { ServiceMarks, SlotMark } from './service-plan.ts';

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
    slots.set(mark.key, { ...mark, nodeChanged: mark.nodeChanged || (known?.nodeChanged ?? false) });
  }

  /** Takes all marks, by service. */
  take(): ReadonlyMap<string, ServiceMarks> {
    const taken = new Map<string, ServiceMarks>();
    for (const serviceId of this.#whole) taken.set(serviceId, { whole: true, slots: [] });
    for (const [serviceId, slots] of this.#slots) {
      // Slots marked for a change of their node keep that mark beside a look at the whole service.
      const marks = [...slots.values()];
      if (taken.has(serviceId)) taken.set(serviceId, { whole: true, slots: marks.filter((mark) => mark.nodeChanged) });
      else taken.set(serviceId, { whole: false, slots: marks });
    }
    this.#whole.clear();
    this.#slots.clear();
    return taken;
  }

  /** Puts the marks of a service back, to be taken again later. */
  putBack(serviceId: string, { whole, slots }: ServiceMarks): void {
    if (whole) this.service(serviceId);
    else this.update(serviceId);
    for (const mark of slots) this.slot(serviceId, mark);
  }

  #slotsOf(serviceId: string): Map<string, SlotMark> {
    let slots = this.#slots.get(serviceId);
    if (!slots) this.#slots.set(serviceId, (slots = new Map()));
    return slots;
  }
}
