import type { Agent } from '@swarmlens/client';
import { type AgentStyle, agentStyle, type Theme } from './agent-style.js';
import { groupKey } from './groups.js';
import type { Point } from './convex-hull.js';
import { shortenName } from '../ui/labels.js';
import { FadingColor, EasedValue } from './animation.js';

/** Attributes read by the renderer. Modified in place with every frame. */
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
/** Factor by which work enlarges a node for a moment. */
const SWELL = 1.45;
const DIMMED_OPACITY = 0.12;
const MAX_LABEL = 18;

/** Agent on its way to its target style and position. */
export class GraphNode {
  agent: Agent;
  group: string;
  attributes: NodeAttributes;
  /** Whether the agent was removed and is fading out. */
  isLeaving = false;
  #label: string;
  #isDimmed = false;
  readonly #x: EasedValue;
  readonly #y: EasedValue;
  readonly #size = new EasedValue(0);
  readonly #opacity = new EasedValue(1);
  readonly #fill: FadingColor;
  readonly #ring: FadingColor;

  constructor(agent: Agent, position: Point, theme: Theme) {
    const { fill, ring, size } = agentStyle(agent, theme);
    this.agent = agent;
    this.group = groupKey(agent);
    this.#label = shortenName(agent.name, MAX_LABEL);
    this.#x = new EasedValue(position.x);
    this.#y = new EasedValue(position.y);
    this.#size.target = size;
    this.#fill = new FadingColor(fill);
    this.#ring = new FadingColor(ring);
    this.attributes = { ...position, size: 0, color: fill, ring, opacity: 1, label: this.#label };
  }

  get target(): Point {
    return { x: this.#x.target, y: this.#y.target };
  }

  moveTo(x: number, y: number): void {
    this.#x.target = x;
    this.#y.target = y;
  }

  /** @param swells whether the node grows for a moment */
  show(agent: Agent, theme: Theme, swells: boolean): void {
    this.agent = agent;
    this.group = groupKey(agent);
    this.isLeaving = false;
    const { fill, ring, size } = agentStyle(agent, theme);
    this.#setStyle({ fill, ring, size });
    if (swells) this.#size.now = Math.max(this.#size.now, size * SWELL);
  }

  #setStyle({ fill, ring, size }: AgentStyle): void {
    this.#fill.fadeTo(fill);
    this.#ring.fadeTo(ring);
    this.#size.target = size;
  }

  leave(): void {
    this.isLeaving = true;
    this.#size.target = 0;
  }

  /** Dims the node and hides its label, because it does not match the search. */
  dim(isDimmed: boolean): void {
    this.#isDimmed = isDimmed;
    this.#opacity.target = isDimmed ? DIMMED_OPACITY : 1;
    this.attributes.label = isDimmed ? '' : this.#label;
  }

  /**
   * Sets the label.
   *
   * @returns whether it changed
   */
  setLabel(label: string): boolean {
    if (label === this.#label) return false;
    this.#label = label;
    this.attributes.label = this.#isDimmed ? '' : label;
    return true;
  }

  get hasLeft(): boolean {
    return this.isLeaving && this.#size.now === 0;
  }

  /**
   * Moves the node toward its target.
   *
   * @returns whether it changed
   */
  step(elapsedMs: number): boolean {
    const moved = [
      this.#x.step(elapsedMs, MOVE_HALF_LIFE_MS, 0.05),
      this.#y.step(elapsedMs, MOVE_HALF_LIFE_MS, 0.05),
      this.#size.step(elapsedMs, GROW_HALF_LIFE_MS, 0.05),
      this.#opacity.step(elapsedMs, GROW_HALF_LIFE_MS, 0.01),
      this.#fill.step(elapsedMs),
      this.#ring.step(elapsedMs),
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
