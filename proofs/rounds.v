(** * Many rounds of self-distillation

    Chapter 12. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear span after_the_paper.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** The model of round [k + 1]: round 1 is ridge regression on [u], the next is ridge regression on
    $(1 - \xi) u + \xi X w$ with the model $w$ of the round before. *)
Fixpoint self_round (R : realFieldType) n d (X : 'M[R]_(n, d)) (u : 'cV[R]_n) (lambda xi : R)
    (k : nat) : 'cV[R]_d :=
  if k is k'.+1
  then ridge X ((1 - xi) *: u + xi *: (X *m self_round X u lambda xi k')) lambda
  else ridge X u lambda.

(** The factor $\varphi = s^2 / (s^2 + n \lambda)$ of ridge regression at the singular value [s]. *)
Definition ridge_factor (R : realFieldType) (n : nat) (lambda s : R) : R :=
  s ^+ 2 / (s ^+ 2 + n%:R * lambda).

(** Where $X z = s\, q$ and $X^\top q = s\, z$, ridge regression multiplies the part of least squares
    along $z$, which is $(q \cdot u) / s$, by its factor. *)
Lemma ridge_filter (R : realFieldType) n d (X : 'M[R]_(n, d)) (y q : 'cV[R]_n) (z : 'cV[R]_d)
    (lambda s : R) :
  ridge_matrix X lambda \in unitmx -> s != 0 -> s ^+ 2 + n%:R * lambda != 0 ->
  X *m z = s *: q -> X^T *m q = s *: z ->
  z ⋅ ridge X y lambda = ridge_factor n lambda s * ((q ⋅ y) / s).
Proof.
move=> unit s0 m0 hz hq.
have : ridge_matrix X lambda *m ridge X y lambda = X^T *m y by rewrite /ridge -mulmxA mulKVmx.
move/(congr1 (dot z)); rewrite /ridge_matrix mulmxDl mul_scalar_mx -mulmxA dotDr dotZr.
rewrite -![z ⋅ (X^T *m _)]dot_mulmx hz !dotZl -[q ⋅ (X *m _)]dotC dot_mulmx hq dotZr.
rewrite [ridge _ _ _ ⋅ z]dotC mulrA -mulrDl -expr2 => h.
by apply: (mulfI m0); rewrite h /ridge_factor; field; rewrite m0 s0.
Qed.

(** Chapter 12, prop-rounds (a): with $\xi = 1$, along each pair of singular vectors round $k + 1$ is
    the filter $\varphi^{k + 1}$, ... *)
Theorem pure_rounds (R : realFieldType) n d (X : 'M[R]_(n, d)) (u q : 'cV[R]_n) (z : 'cV[R]_d)
    (lambda s : R) (k : nat) :
  (0 < n)%N -> 0 < lambda -> s != 0 -> X *m z = s *: q -> X^T *m q = s *: z ->
  z ⋅ self_round X u lambda 1 k = ridge_factor n lambda s ^+ k.+1 * ((q ⋅ u) / s).
Proof.
move=> n0 l0 s0 hz hq; have unit := ridge_unit X n0 l0.
have m0 : s ^+ 2 + n%:R * lambda != 0.
  by rewrite gt_eqF // ltr_paddl ?sqr_ge0 // mulr_gt0 // ltr0n.
elim: k => [|k IH] /=; first by rewrite expr1 (ridge_filter _ unit s0 m0 hz hq).
rewrite (ridge_filter _ unit s0 m0 hz hq) subrr scale0r add0r scale1r.
by rewrite -[q ⋅ _]dotC dot_mulmx hq dotZr [self_round _ _ _ _ _ ⋅ z]dotC IH [in RHS]exprS; field.
Qed.

(** ... has no part outside the span of the inputs, ... *)
Theorem rounds_in_span (R : realFieldType) n d (X : 'M[R]_(n, d)) (u : 'cV[R]_n) (lambda xi : R)
    (k : nat) :
  (0 < n)%N -> 0 < lambda -> in_span X (self_round X u lambda xi k).
Proof.
move=> n0 l0; have unit := ridge_unit X n0 l0.
have nl : n%:R * lambda != 0 by rewrite gt_eqF // mulr_gt0 // ltr0n.
have sp y : in_span X (ridge X y lambda).
  rewrite in_spanE; exists ((n%:R * lambda)^-1 *: (y - X *m ridge X y lambda)).
  have : ridge_matrix X lambda *m ridge X y lambda = X^T *m y by rewrite /ridge -mulmxA mulKVmx.
  rewrite /ridge_matrix mulmxDl mul_scalar_mx -mulmxA -scalemxAr mulmxBr => <-.
  by rewrite addrAC subrr add0r scalerA mulVf // scale1r.
by case: k => [|k]; apply: sp.
Qed.

(** ... and the ratio of the factors of two singular values grows geometrically. *)
Theorem factors_apart (R : realFieldType) (n : nat) (lambda s t : R) :
  (0 < n)%N -> 0 < lambda -> 0 < t -> t < s ->
  1 < ridge_factor n lambda s / ridge_factor n lambda t.
Proof.
move=> n0 l0 t0 ts; have nl : 0 < n%:R * lambda by rewrite mulr_gt0 // ltr0n.
have s0 : 0 < s := lt_trans t0 ts.
have t2 : 0 < t ^+ 2 by rewrite exprn_gt0.
have s2 : 0 < s ^+ 2 by rewrite exprn_gt0.
have tl : 0 < t ^+ 2 + n%:R * lambda by rewrite addr_gt0.
have sl : 0 < s ^+ 2 + n%:R * lambda by rewrite addr_gt0.
rewrite /ridge_factor ltr_pdivl_mulr ?divr_gt0 // mul1r ltr_pdivr_mulr //.
rewrite mulrAC ltr_pdivl_mulr // !mulrDr [s ^+ 2 * t ^+ 2]mulrC ltr_add2l.
by rewrite ltr_pmul2r // ltr_expn2r // ltW.
Qed.

(** (b): with $\xi < 1$, ridge regression on [u] with the penalty $\lambda / (1 - \xi)$ is what a
    further round leaves as it is, ... *)
Theorem rounds_fixed_point (R : realFieldType) n d (X : 'M[R]_(n, d)) (u : 'cV[R]_n)
    (lambda xi : R) :
  let w := ridge X u (lambda / (1 - xi)) in
  (0 < n)%N -> 0 < lambda -> xi < 1 ->
  ridge X ((1 - xi) *: u + xi *: (X *m w)) lambda = w.
Proof.
move=> w n0 l0 x1; have x0 : 0 < 1 - xi by rewrite subr_gt0.
have unit := ridge_unit X n0 l0.
have unit' := ridge_unit X n0 (divr_gt0 l0 x0).
have : ridge_matrix X (lambda / (1 - xi)) *m w = X^T *m u by rewrite /w /ridge -mulmxA mulKVmx.
clearbody w => h; apply: (can_inj (mulKmx unit)); rewrite {1}/ridge -mulmxA mulKVmx //; move: h.
rewrite /ridge_matrix !mulmxDl !mul_scalar_mx mulmxDr -!scalemxAr mulmxA => <-.
rewrite scalerDr scalerA; set g := X^T *m X *m w.
rewrite addrAC -scalerDl subrK scale1r; congr (_ + _ *: _).
by field; rewrite gt_eqF.
Qed.

(** ... and along each pair of singular vectors round $k + 1$ differs from it by exactly
    $(\xi \varphi)^k$ times the difference of round 1, ... *)
Theorem mixed_rounds (R : realFieldType) n d (X : 'M[R]_(n, d)) (u q : 'cV[R]_n) (z : 'cV[R]_d)
    (lambda xi s : R) (k : nat) :
  let w := ridge X u (lambda / (1 - xi)) in
  (0 < n)%N -> 0 < lambda -> xi < 1 -> s != 0 -> X *m z = s *: q -> X^T *m q = s *: z ->
  z ⋅ (self_round X u lambda xi k - w)
    = (xi * ridge_factor n lambda s) ^+ k * (z ⋅ (self_round X u lambda xi 0 - w)).
Proof.
move=> w n0 l0 x1 s0 hz hq; have unit := ridge_unit X n0 l0.
have m0 : s ^+ 2 + n%:R * lambda != 0.
  by rewrite gt_eqF // ltr_paddl ?sqr_ge0 // mulr_gt0 // ltr0n.
have step (v : 'cV[R]_d) : z ⋅ ridge X ((1 - xi) *: u + xi *: (X *m v)) lambda
    = ridge_factor n lambda s * ((1 - xi) * (q ⋅ u) / s + xi * (z ⋅ v)).
  rewrite (ridge_filter _ unit s0 m0 hz hq) dotDr !dotZr -[q ⋅ (X *m v)]dotC dot_mulmx hq dotZr.
  by rewrite [v ⋅ z]dotC; congr (_ * _); field.
have hw : z ⋅ w = ridge_factor n lambda s * ((1 - xi) * (q ⋅ u) / s + xi * (z ⋅ w)).
  by rewrite -step; congr (_ ⋅ _); apply/esym/rounds_fixed_point.
clearbody w; elim: k => [|k IH]; first by rewrite expr0 mul1r.
rewrite exprS -mulrA -IH !dotBr /= step {1}hw.
by ring.
Qed.

(** ... where $0 \le \xi \varphi < 1$ if $0 \le \xi < 1$. *)
Theorem mixed_factor (R : realFieldType) (n : nat) (lambda xi s : R) :
  (0 < n)%N -> 0 < lambda -> 0 <= xi < 1 -> 0 <= xi * ridge_factor n lambda s < 1.
Proof.
move=> n0 l0 /andP[x0 x1]; have nl : 0 < n%:R * lambda by rewrite mulr_gt0 // ltr0n.
have m0 : 0 < s ^+ 2 + n%:R * lambda by rewrite ltr_paddl ?sqr_ge0.
have f0 : 0 <= ridge_factor n lambda s by rewrite divr_ge0 ?sqr_ge0 // ltW.
have f1 : ridge_factor n lambda s <= 1 by rewrite ler_pdivr_mulr // mul1r ler_addl ltW.
by rewrite mulr_ge0 //= (le_lt_trans _ x1) // ler_pimulr.
Qed.
