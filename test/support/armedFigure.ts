import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { REST_POSE } from '../../fixtures/makeCallAvatar.ts';
import { drawFace } from '../../fixtures/makeCallFace.ts';
import { LOOKS } from '../../fixtures/makeCallLooks.ts';
import type { PixelPicture } from './callVideo.ts';

/** Angles in radians: of the upper arms from hanging down, and of the forearms from there, both outwards. */
export type ArmAngles = { readonly shoulder: number; readonly elbow: number };

/** In the unit of the drawing, from the middle of the face to the right and down. */
type Point = { readonly x: number; readonly y: number };
/** Elbow, wrist and where the hand points to, in radians from down towards the right. */
type Arm = { readonly bend: Point; readonly wrist: Point; readonly towards: number };

const WIDTH = 640;
const HEIGHT = 480;
/** From the middle of the face to the chin, in pixels: the unit of the drawing. */
const UNIT = 58;
const UPPER_ARM = 1.75;
const FOREARM = 1.6;
/** Lengths and widths: of fingers alone, and of a hand with a palm. */
const FINGERS = { palm: 0, length: 0.75, width: 0.17 };
const OPEN_HAND = { palm: 0.6, length: 0.9, width: 0.24 };

/** Returns a picture of someone seen down to the hips, both arms at the same angles; nothing else moves. */
export function drawFigure(angles: ArmAngles): PixelPicture {
  return draw((ctx) => {
    for (const side of [-1, 1]) drawArm(ctx, side, armAt(side, angles));
    drawFace(ctx, LOOKS.Ben, REST_POSE);
  });
}

/**
 * Returns the same person with one arm hanging and the fingers of the other hand at a place: from the middle of the face, in lengths
 * from there to the chin, towards the person's left and down.
 */
export function drawHandAt(fingers: Point): PixelPicture {
  const wrist = { x: fingers.x + 0.45, y: fingers.y + 0.75 };
  return draw((ctx) => {
    drawFace(ctx, LOOKS.Ben, REST_POSE);
    drawArm(ctx, -1, armAt(-1, { shoulder: 0.3, elbow: -0.25 }));
    drawArm(
      ctx,
      1,
      { bend: { x: 1.9, y: 3.3 }, wrist, towards: Math.atan2(fingers.x - wrist.x, fingers.y - wrist.y) },
      OPEN_HAND,
    );
  });
}

function draw(person: (ctx: SKRSContext2D) => void): PixelPicture {
  const ctx = createCanvas(WIDTH, HEIGHT).getContext('2d');
  ctx.fillStyle = '#b9c3c9';
  ctx.fillRect(0, 0, WIDTH, HEIGHT);
  ctx.translate(WIDTH / 2, HEIGHT * 0.27);
  ctx.scale(UNIT, UNIT);
  ctx.lineCap = 'round';
  ctx.lineJoin = 'round';
  drawTorso(ctx);
  person(ctx);
  const { data } = ctx.getImageData(0, 0, WIDTH, HEIGHT);
  return { atMs: 0, width: WIDTH, height: HEIGHT, rgba: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function drawTorso(ctx: SKRSContext2D): void {
  ctx.fillStyle = LOOKS.Ben.skin[1];
  ctx.fillRect(-0.36, 0.6, 0.72, 0.9);
  ctx.fillStyle = '#2f4f7f';
  ctx.beginPath();
  ctx.moveTo(-0.4, 1.15);
  ctx.quadraticCurveTo(-1.4, 1.25, -1.5, 1.8);
  ctx.lineTo(-1.15, 7);
  ctx.lineTo(1.15, 7);
  ctx.lineTo(1.5, 1.8);
  ctx.quadraticCurveTo(1.4, 1.25, 0.4, 1.15);
  ctx.quadraticCurveTo(0, 1.5, -0.4, 1.15);
  ctx.fill();
}

function armAt(side: number, { shoulder, elbow }: ArmAngles): Arm {
  const from = shoulderOf(side);
  const bend = { x: from.x + side * Math.sin(shoulder) * UPPER_ARM, y: from.y + Math.cos(shoulder) * UPPER_ARM };
  const towards = side * (shoulder + elbow);
  return { bend, wrist: { x: bend.x + Math.sin(towards) * FOREARM, y: bend.y + Math.cos(towards) * FOREARM }, towards };
}

function shoulderOf(side: number): Point {
  return { x: side * 1.35, y: 1.7 };
}

function drawArm(ctx: SKRSContext2D, side: number, { bend, wrist, towards }: Arm, hand = FINGERS): void {
  const limb = (a: Point, b: Point, colour: string, width: number): void => {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(a.x, a.y);
    ctx.lineTo(b.x, b.y);
    ctx.stroke();
  };
  limb(shoulderOf(side), bend, '#27426b', 0.62);
  limb(bend, wrist, LOOKS.Ben.skin[1], 0.42);
  const along = (length: number, turn = 0): Point => ({
    x: wrist.x + Math.sin(towards + turn) * length,
    y: wrist.y + Math.cos(towards + turn) * length,
  });
  if (hand.palm > 0) limb(wrist, along(0.3), LOOKS.Ben.skin[1], hand.palm);
  for (const finger of [-0.35, -0.12, 0.12, 0.35])
    limb(wrist, along(hand.length, finger), LOOKS.Ben.skin[1], hand.width);
}
