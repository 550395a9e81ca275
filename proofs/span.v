(** * What the inputs can't see doesn't move

    Chapters 3 and 4: the gradient lies in the span of the inputs. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory.
Local Open Scope ring_scope.

(** ** Definitions *)

(** The gradient $\nabla L(w) = \frac1n \sum_i (\sigma(w \cdot x_i) - y_i)\, x_i$ of the
    distillation loss. Which function $\sigma$ is doesn't matter here. *)
Definition gradient (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d)) (y : 'I_n -> R)
    (w : 'cV[R]_d) : 'cV[R]_d :=
  n%:R^-1 *: \sum_(i < n) (sigma (input X i ⋅ w) - y i) *: input X i.

(** Soft labels $y_i = \sigma(w^\star \cdot x_i)$. *)
Definition soft_labels (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d))
    (ws : 'cV[R]_d) (i : 'I_n) : R := sigma (input X i ⋅ ws).

(** Descent: $w_{k+1} = w_k - \eta_k\, g(w_k)$. *)
Fixpoint descent (R : realFieldType) d (g : 'cV[R]_d -> 'cV[R]_d) (eta : nat -> R)
    (w0 : 'cV[R]_d) (k : nat) : 'cV[R]_d :=
  if k is j.+1 then let w := descent g eta w0 j in w - eta j *: g w else w0.

(** ** Theorems *)

Lemma in_span_sum (R : realFieldType) n d (X : 'M[R]_(n, d)) (c : 'I_n -> R) :
  in_span X (\sum_(i < n) c i *: input X i).
Proof. by exists c. Qed.

(** Chapter 3, lem-span: the gradient lies in the span, ... *)
Theorem gradient_in_span (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d))
    (y : 'I_n -> R) (w : 'cV[R]_d) :
  in_span X (gradient sigma X y w).
Proof. exact/in_spanZ/in_span_sum. Qed.

(** ... so $P_\perp w$ is the same at all times, with any step sizes. *)
Theorem frozen_part (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d)) (y : 'I_n -> R)
    (eta : nat -> R) (w0 : 'cV[R]_d) (k : nat) :
  projector_perp X *m descent (gradient sigma X y) eta w0 k = projector_perp X *m w0.
Proof.
elim: k => //= k <-; set w := descent _ _ _ _.
have := gradient_in_span sigma X y w; set g := gradient _ _ _ _ => /projector_id h.
by rewrite mulmxBr -scalemxAr [projector_perp X *m g]mulmxBl mul1mx h subrr scaler0 subr0.
Qed.

(** Chapter 4, prop-first-layer: a network depends on its first layer $W_1$ only through the
    $W_1 x_i$, so the gradient of any loss is a sum $\sum_i z_i x_i^\top$ with some vectors $z_i$
    ($z_i = 0$ for inputs that aren't in the batch). So $W_1 P_\perp$ never changes, with any
    step sizes and with momentum $V$ that starts at rest. *)
Theorem first_layer (R : realFieldType) n d h (X : 'M[R]_(n, d))
    (W V : nat -> 'M[R]_(h, d)) (z : nat -> 'I_n -> 'cV[R]_h) (beta eta : nat -> R) :
  V 0%N = 0 ->
  (forall k, V k.+1 = beta k *: V k + \sum_(i < n) z k i *m (input X i)^T) ->
  (forall k, W k.+1 = W k - eta k *: V k.+1) ->
  forall k, W k *m projector_perp X = W 0%N *m projector_perp X.
Proof.
move=> V0 stepV stepW.
have xP i : (input X i)^T *m projector_perp X = 0.
  by rewrite trmxK -row_mul mulmx_projector_perp row0.
have VP k : V k *m projector_perp X = 0.
  elim: k => [|k IH]; first by rewrite V0 mul0mx.
  rewrite stepV mulmxDl -scalemxAl IH scaler0 add0r mulmx_suml big1 // => i _.
  by rewrite -mulmxA xP mulmx0.
by elim=> // k IH; rewrite stepW mulmxBl -scalemxAl VP scaler0 subr0.
Qed.
