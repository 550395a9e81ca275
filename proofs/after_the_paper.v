(** * Stochastic descent, self-distillation, weak to strong *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear span.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** Stochastic descent on soft labels: a step on one input $x$ replaces the error $e$ by
    $e - \eta c (x \cdot e)\, x$ with a slope $c$. Whatever the input, the error doesn't grow; its
    square falls by $\eta c (2 - \eta c \|x\|^2)(x \cdot e)^2$. *)
Theorem stochastic_step (R : realFieldType) d (x e : 'cV[R]_d) (eta c : R) :
  ‖e - (eta * c * (x ⋅ e)) *: x‖²
    = ‖e‖² - eta * c * (2%:R - eta * c * ‖x‖²) * (x ⋅ e) ^+ 2.
Proof. by rewrite sqnormB sqnormZ dotZr (dotC e x); ring. Qed.

(** So with $0 \le \eta c$ and $\eta c \|x\|^2 \le 2$ the error never grows, whichever input is
    drawn. *)
Theorem stochastic_never_grows (R : realFieldType) d (x e : 'cV[R]_d) (eta c : R) :
  0 <= eta * c -> eta * c * ‖x‖² <= 2%:R -> ‖e - (eta * c * (x ⋅ e)) *: x‖² <= ‖e‖².
Proof.
move=> h0 h2; rewrite stochastic_step ler_subl_addr ler_addl.
by rewrite mulr_ge0 ?sqr_ge0 // mulr_ge0 // subr_ge0.
Qed.

(** ** Self-distillation *)

(** The ridge solution $w_\lambda = (X^\top X + n \lambda)^{-1} X^\top y$. *)
Definition ridge_matrix (R : realFieldType) n d (X : 'M[R]_(n, d)) (lambda : R) : 'M[R]_d :=
  X^T *m X + (n%:R * lambda)%:M.
Definition ridge (R : realFieldType) n d (X : 'M[R]_(n, d)) (y : 'cV[R]_n) (lambda : R) :
    'cV[R]_d :=
  invmx (ridge_matrix X lambda) *m X^T *m y.

(** With $\lambda > 0$ the inverse exists. *)
Theorem ridge_unit (R : realFieldType) n d (X : 'M[R]_(n, d)) (lambda : R) :
  (0 < n)%N -> 0 < lambda -> ridge_matrix X lambda \in unitmx.
Proof.
move=> n0 l0; rewrite -row_free_unit -kermx_eq0; apply/rowV0P => c /sub_kermxP h.
apply: trmx_inj; rewrite trmx0; apply/eqP; rewrite -sqnorm_eq0.
have nl : 0 < n%:R * lambda by rewrite mulr_gt0 // ltr0n.
have : ‖X *m c^T‖² + n%:R * lambda * ‖c^T‖² = 0.
  have e : c *m X^T *m (X *m c^T) + (n%:R * lambda) *: (c *m c^T) = 0.
    have := congr1 (mulmx^~ c^T) h; rewrite /= mul0mx /ridge_matrix mulmxDr mulmxDl.
    by rewrite mul_mx_scalar -scalemxAl !mulmxA.
  have sums (M1 M2 : 'M[R]_1) s : (M1 + s *: M2) 0 0 = M1 0 0 + s * M2 0 0 by rewrite !mxE.
  by rewrite /sqnorm !dotE !trmx_mul !trmxK -sums e mxE.
move/eqP; rewrite paddr_eq0 ?sqnorm_ge0 //; last by rewrite mulr_ge0 ?sqnorm_ge0 // ltW.
by case/andP=> _; rewrite mulf_eq0 gt_eqF.
Qed.

(** A student that is the same ridge on the labels $(1 - \xi) y + \xi X w_\lambda$ is
    $w_\lambda - \xi\, n \lambda\, (X^\top X + n \lambda)^{-1} w_\lambda$, ... *)
Theorem self_distillation (R : realFieldType) n d (X : 'M[R]_(n, d)) (y : 'cV[R]_n)
    (lambda xi : R) :
  ridge_matrix X lambda \in unitmx ->
  ridge X ((1 - xi) *: y + xi *: (X *m ridge X y lambda)) lambda
    = ridge X y lambda
      + (xi * lambda) *: (- n%:R *: (invmx (ridge_matrix X lambda) *m ridge X y lambda)).
Proof.
move=> u; set w := ridge X y lambda; rewrite {1}/ridge mulmxDr -!scalemxAr -/(ridge X y lambda) -/w.
have e : invmx (ridge_matrix X lambda) *m X^T *m (X *m w)
       = w - (n%:R * lambda) *: (invmx (ridge_matrix X lambda) *m w).
  have : invmx (ridge_matrix X lambda) *m (ridge_matrix X lambda *m w) = w by rewrite mulKmx.
  rewrite {2}/ridge_matrix mulmxDl mulmxDr mul_scalar_mx -scalemxAr !mulmxA => h.
  by rewrite -[in RHS]h addrK.
rewrite e scalerBr scalerBl scale1r addrA subrK !scalerA; congr (_ + _).
by rewrite -scaleNr; congr (_ *: _); ring.
Qed.

(** ... where $-n (X^\top X + n \lambda)^{-1} w_\lambda$ is the derivative of $w_\lambda$ with
    respect to $\lambda$: the exact difference of two ridge solutions is *)
Theorem ridge_difference (R : realFieldType) n d (X : 'M[R]_(n, d)) (y : 'cV[R]_n)
    (lambda lambda' : R) :
  ridge_matrix X lambda \in unitmx -> ridge_matrix X lambda' \in unitmx ->
  ridge X y lambda' - ridge X y lambda
    = (lambda' - lambda) *: (- n%:R *: (invmx (ridge_matrix X lambda') *m ridge X y lambda)).
Proof.
move=> u u'; apply: (can_inj (mulKmx u')); rewrite -!scalemxAr mulKVmx // mulmxBr.
have -> : ridge_matrix X lambda' *m ridge X y lambda' = X^T *m y by rewrite /ridge -mulmxA mulKVmx.
have -> : ridge_matrix X lambda' = ridge_matrix X lambda + (n%:R * (lambda' - lambda))%:M.
  by rewrite /ridge_matrix -addrA -raddfD /=; congr (_ + _%:M); ring.
rewrite mulmxDl mul_scalar_mx {1}/ridge -mulmxA mulKVmx // opprD addrA subrr add0r.
by rewrite scalerA -scaleNr; congr (_ *: _); ring.
Qed.

(** ** Weak to strong *)

(** The teacher [col_mx alpha beta] uses the coordinates [C] that both models have and the
    coordinates [Q] of its own; the student uses [C] and [E]. On labels of the teacher its least
    squares copy $\alpha$, what the teacher says of the common coordinates, and see $Q \beta$ as
    noise. *)
Theorem weak_to_strong (R : realFieldType) N c q s (C : 'M[R]_(N, c)) (Q : 'M[R]_(N, q))
    (E : 'M[R]_(N, s)) (alpha : 'cV[R]_c) (beta : 'cV[R]_q) :
  let Z := row_mx C E in
  \rank Z = (c + s)%N ->
  invmx (Z^T *m Z) *m Z^T *m (row_mx C Q *m col_mx alpha beta)
    = col_mx alpha 0 + invmx (Z^T *m Z) *m Z^T *m (Q *m beta).
Proof.
move=> Z r; have u : Z^T *m Z \in unitmx.
  by have := gram_unit (B := Z^T); rewrite trmxK mxrank_tr; apply.
rewrite mul_row_col mulmxDr; congr (_ + _).
have -> : C *m alpha = Z *m col_mx alpha 0 by rewrite mul_row_col mulmx0 addr0.
by rewrite mulmxA -(mulmxA (invmx _)) mulVmx // mul1mx.
Qed.
