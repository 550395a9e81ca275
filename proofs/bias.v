(** * The angle of a biased student

    Chapter 8. Here cosines have their sign, and so [R] is an ordered field with square roots. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear span closed_form mistakes angles.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** $\|u\|$, the cosine of the angle between [u] and [v], and the tangent of an acute angle with the
    cosine [c]. *)
Definition norm (R : rcfType) d (u : 'cV[R]_d) : R := Num.sqrt ‖u‖².
Definition cosine (R : rcfType) d (u v : 'cV[R]_d) : R := (u ⋅ v) / (norm u * norm v).
Definition tangent (R : rcfType) (c : R) : R := Num.sqrt (1 - c ^+ 2) / c.

(** $w_\delta = \hat w + \delta \|\hat w\|\, v$. *)
Definition biased (R : rcfType) d (what v : 'cV[R]_d) (delta : R) : 'cV[R]_d :=
  what + (delta * norm what) *: v.

(** Chapter 8, prop-bias-angle: for a unit vector $v$ orthogonal to all inputs, $\hat w \ne 0$ and
    $h = w^\star - \hat w$ it is
    $\cos \angle(w_\delta, w^\star) = \cos A\, (1 + \delta \tan A \cos\omega) / \sqrt{1 + \delta^2}$.
    If $h = 0$ the angle $\omega$ has no meaning; then $\tan A = 0$, and it doesn't matter. *)
Theorem bias_angle (R : rcfType) n d (X : 'M[R]_(n, d)) (ws v : 'cV[R]_d) (delta : R) :
  let what := student X ws in
  let cosA := cosine what ws in
  orthogonal X v -> ‖v‖² = 1 -> what != 0 ->
  cosine (biased what v delta) ws
    = cosA * ((1 + delta * tangent cosA * cosine v (ws - what)) / Num.sqrt (1 + delta ^+ 2)).
Proof.
move=> what cosA ov v1 w0; set h := ws - what.
have sp : in_span X what := projector_in_span X ws.
have wv : what ⋅ v = 0 := orthogonal_span sp ov.
have wh : what ⋅ h = 0 := orthogonal_span sp (projector_orthogonal X ws).
have wsE : ws = what + h by rewrite addrC subrK.
have nn (u : 'cV[R]_d) : norm u ^+ 2 = ‖u‖² by rewrite sqr_sqrtr ?sqnorm_ge0.
have a0 : 0 < norm what by rewrite sqrtr_gt0 sqnorm_gt0.
have t2 : norm ws ^+ 2 = norm what ^+ 2 + norm h ^+ 2 by rewrite !nn {1}wsE pythagoras.
have t0 : 0 < norm ws.
  rewrite sqrtr_gt0 -nn t2 ltr_paddr ?sqr_ge0 //.
  by rewrite exprn_gt0.
have s0 : 0 < Num.sqrt (1 + delta ^+ 2) by rewrite sqrtr_gt0 ltr_paddr ?sqr_ge0 ?ltr01.
have wws : what ⋅ ws = norm what ^+ 2 by rewrite wsE dotDr wh addr0 nn.
have cE : cosA = norm what / norm ws.
  by rewrite /cosA /cosine wws expr2 -mulf_div divff ?mul1r // gt_eqF.
have tE : tangent cosA = norm h / norm what.
  have -> : tangent cosA = norm h / norm ws / cosA.
    rewrite /tangent; congr (_ / _).
    have -> : 1 - cosA ^+ 2 = (norm h / norm ws) ^+ 2.
      rewrite cE; apply: (mulIf (_ : norm ws ^+ 2 != 0)); first by rewrite gt_eqF ?exprn_gt0.
      rewrite mulrBl mul1r -!exprMn !divfK ?gt_eqF // t2.
      by rewrite addrAC subrr add0r.
    by rewrite sqrtr_sqr ger0_norm // divr_ge0 ?sqrtr_ge0.
  by rewrite cE invf_div mulrA divfK // gt_eqF.
have dE : biased what v delta ⋅ ws = norm what ^+ 2 + delta * norm what * (v ⋅ h).
  rewrite /biased dotDl dotZl wws; congr (_ + _ * _).
  by rewrite wsE dotDr (dotC v what) wv add0r.
have nE : norm (biased what v delta) = norm what * Num.sqrt (1 + delta ^+ 2).
  rewrite {1}/norm /biased pythagoras; last by rewrite dotZr wv mulr0.
  rewrite sqnormZ v1 mulr1 -nn exprMn -[X in X + _]mul1r -mulrDl mulrC.
  rewrite sqrtrM ?sqr_ge0 //.
  by rewrite sqrtr_sqr ger0_norm // ltW.
have hv : norm h * cosine v h = v ⋅ h.
  rewrite /cosine {2}/norm v1 sqrtr1 mul1r; have [h0|h0] := eqVneq h 0.
    by rewrite h0 dot0r mul0r mulr0.
  by rewrite mulrC divfK // gt_eqF // sqrtr_gt0 sqnorm_gt0.
rewrite {1}/cosine dE nE tE cE -hv.
have a1 := gt_eqF a0; have t1 := gt_eqF t0; have s1 := gt_eqF s0.
by field; rewrite a1 t1 s1.
Qed.

(** All of these students are perfect ... *)
Theorem biased_perfect (R : rcfType) n d (X : 'M[R]_(n, d)) (ws v : 'cV[R]_d) (delta : R) :
  orthogonal X v -> X *m biased (student X ws) v delta = X *m ws.
Proof.
move=> o; apply/perfect_iff; exists ((delta * norm (student X ws)) *: v); split=> // i.
by rewrite dotZr o mulr0.
Qed.

(** ... and one is the teacher: that with $v = h / \|h\|$ and $\delta = \|h\| / \|\hat w\|$, which is
    $\tan A$. *)
Theorem biased_teacher (R : rcfType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) :
  let what := student X ws in
  let h := ws - what in
  what != 0 -> h != 0 -> biased what ((norm h)^-1 *: h) (norm h / norm what) = ws.
Proof.
move=> what h w0 h0; rewrite /biased scalerA divfK; last by rewrite gt_eqF ?sqrtr_gt0 ?sqnorm_gt0.
rewrite divff ?scale1r ?[what + _]addrC ?subrK //.
by rewrite gt_eqF ?sqrtr_gt0 ?sqnorm_gt0.
Qed.
