import type { Agent } from '@swarmlens/client';
import { type AgentStyle, agentStyle, type Theme } from './agent-style.js';
import { groupKey } from './groups.js';
import type { Point } from './convex-hull.js';
import { agentLabel } from '../ui/labels.js';
import { FadingColor, EasedValue } from './animation.js';

/** What the renderer reads; it is written in place, as often as the screen is drawn. */
export interface NodeAttributes {
  x: number;
  y: number;
  size: number;
  color: string;
  ring: string;
  opacity: number;
  label: string;
}

const MOVE_HALF_LIFE_MS = 110;
const GROW_HALF_LIFE_MS = 90;
/** A change makes a node larger for a moment. */
const PULSE = 1.45;
const FAINT = 0.12;

/** An agent on its way from how it is drawn to how it should be. */
export class GraphNode {
  agent: Agent;
  group: string;
  attributes: NodeAttributes;
  /** Gone, and drawn until it has faded. */
  isLeaving = false;
  readonly #x: EasedValue;
  readonly #y: EasedValue;
  readonly #size = new EasedValue(0);
  readonly #opacity = new EasedValue(1);
  readonly #fill: FadingColor;
  readonly #ring: FadingColor;

  constructor(agent: Agent, place: Point, theme: Theme) {
    const { fill, ring, size } = agentStyle(agent, theme);
    this.agent = agent;
    this.group = groupKey(agent);
    this.#x = new EasedValue(place.x);
    this.#y = new EasedValue(place.y);
    this.#size.target = size;
    this.#fill = new FadingColor(fill);
    this.#ring = new FadingColor(ring);
    this.attributes = { ...place, size: 0, color: fill, ring, opacity: 1, label: agentLabel(agent) };
  }

  get target(): Point {
    return { x: this.#x.target, y: this.#y.target };
  }

  goTo(x: number, y: number): void {
    this.#x.target = x;
    this.#y.target = y;
  }

  /** @param pulses whether the change is to be seen for a moment */
  show(agent: Agent, theme: Theme, pulses: boolean): void {
    this.agent = agent;
    this.group = groupKey(agent);
    this.isLeaving = false;
    const { fill, ring, size } = agentStyle(agent, theme);
    this.#look({ fill, ring, size });
    if (pulses) this.#size.now = Math.max(this.#size.now, size * PULSE);
  }

  #look({ fill, ring, size }: AgentStyle): void {
    this.#fill.to(fill);
    this.#ring.to(ring);
    this.#size.target = size;
  }

  leave(): void {
    this.isLeaving = true;
    this.#size.target = 0;
  }

  /** Faint, and without its name: it is not what is searched for. */
  dim(isFaint: boolean): void {
    this.#opacity.target = isFaint ? FAINT : 1;
    this.attributes.label = isFaint ? '' : agentLabel(this.agent);
  }

  get hasLeft(): boolean {
    return this.isLeaving && this.#size.now === 0;
  }

  /** @returns whether anything of it changed */
  step(passedMs: number): boolean {
    const moved = [
      this.#x.step(passedMs, MOVE_HALF_LIFE_MS, 0.05),
      this.#y.step(passedMs, MOVE_HALF_LIFE_MS, 0.05),
      this.#size.step(passedMs, GROW_HALF_LIFE_MS, 0.05),
      this.#opacity.step(passedMs, GROW_HALF_LIFE_MS, 0.01),
      this.#fill.step(passedMs),
      this.#ring.step(passedMs),
    ].includes(true);
    if (!moved) return false;
    this.attributes.x = this.#x.now;
    this.attributes.y = this.#y.now;
    this.attributes.size = this.#size.now;
    this.attributes.opacity = this.#opacity.now;
    this.attributes.color = this.#fill.now;
    this.attributes.ring = this.#ring.now;
    return true;
  }
}
